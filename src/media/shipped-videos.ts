import { fileURLToPath } from 'node:url';

/** The folder of the videos that the package ships; scripts/make-videos.sh makes them. */
export const SHIPPED_FOLDER = fileURLToPath(new URL('../../assets', import.meta.url));
/** 4 s, 1080x1920, 30 fps, H.264 and AAC. */
export const DEMO_VIDEO = `${SHIPPED_FOLDER}/demo.mp4`;
/** 1 s, 720x1280, 30 fps, H.264 and AAC. */
export const LIVE_VIDEO = `${SHIPPED_FOLDER}/live.mp4`;
