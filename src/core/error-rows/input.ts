import type { ErrorRow } from '../verdict.ts';
import { giveUp, retry } from './row.ts';

/** What the caller can put right. */
export const INPUT_ROWS = {
  INPUT_INVALID: giveUp({
    message: 'the input is not valid',
    advice: 'Correct every field listed in the problems and send the request again.',
  }),
  INPUT_VERSION_UNSUPPORTED: giveUp({
    message: 'this program does not support the version of the publish request',
    advice: 'Send version 1, or upgrade the workers before the producers.',
    retryable: true,
    alert: 'count',
  }),
  INPUT_SCHEDULED_IN_PAST: giveUp({
    message: 'the scheduled time is in the past',
    advice: 'Check the date and the time zone. To publish immediately, omit the time.',
  }),
  INPUT_ACCOUNT_UNKNOWN: giveUp({
    message: 'no account with this name is connected',
    advice:
      'Check the spelling with `tiktok-publisher accounts list`, or connect it with `accounts connect` or `accounts add`, then retry.',
    retryable: true,
  }),
  INPUT_MEDIA_NOT_FOUND: giveUp({
    message: 'the file does not exist',
    advice:
      "Check the path, the URL, or the bucket and key. The worker reads the path, so the file must exist on the worker's machine. Then retry.",
    retryable: true,
  }),
  INPUT_MEDIA_NOT_READABLE: giveUp({
    message: 'no permission to read the file',
    advice: "Give the worker's user read permission on the file and execute permission on its folders, then retry.",
    retryable: true,
  }),
  INPUT_MEDIA_NOT_A_FILE: giveUp({
    message: 'the path is not a regular file',
    advice: 'Use a regular file: a directory, pipe, socket or device cannot be uploaded.',
  }),
  INPUT_MEDIA_EMPTY: giveUp({
    message: 'the file is empty',
    advice: 'Enqueue it after the file is completely written.',
    retryable: true,
  }),
  INPUT_MEDIA_TOO_LARGE: giveUp({
    message: 'the video file is larger than TikTok accepts',
    advice: 'Encode the video to 4,000,000,000 bytes or less.',
  }),
  INPUT_MEDIA_CONTAINER_UNSUPPORTED: giveUp({
    message: 'the file is not an MP4, MOV or WebM video',
    advice: 'Convert the video to MP4 with H.264, for example `ffmpeg -i in.mkv -c:v libx264 -c:a aac out.mp4`.',
  }),
  INPUT_PHOTO_UNSUPPORTED: giveUp({
    message: 'TikTok does not accept the photo',
    advice:
      'Use a JPEG or WebP image of at most 20,000,000 bytes, for example `ffmpeg -i in.png -vf scale=1080:-2 out.jpg`.',
    retryable: true,
  }),
  INPUT_MEDIA_INCOMPLETE: giveUp({
    message: 'the video file is incomplete',
    advice: 'Enqueue the video after it is completely written or copied.',
    retryable: true,
  }),
  INPUT_MEDIA_NO_VIDEO: giveUp({
    message: 'the file has no video track',
    advice: 'Add a video track to the audio, for example `ffmpeg -loop 1 -i cover.jpg -i in.m4a -shortest out.mp4`.',
  }),
  INPUT_MEDIA_CODEC: giveUp({
    message: 'the video has a codec that TikTok does not document',
    advice: 'Encode it with H.264, for example `ffmpeg -i in.mp4 -c:v libx264 -c:a aac out.mp4`.',
    retryable: true,
  }),
  INPUT_MEDIA_FRAME_RATE: giveUp({
    message: 'the video has a frame rate that TikTok does not accept',
    advice: 'Encode it with 23 to 60 frames per second, for example `ffmpeg -i in.mp4 -r 30 out.mp4`.',
    retryable: true,
  }),
  INPUT_MEDIA_PICTURE_SIZE: giveUp({
    message: 'the video has a resolution that TikTok does not accept',
    advice: 'Scale width and height to 360 to 4096 pixels, for example `ffmpeg -i in.mp4 -vf scale=1080:-2 out.mp4`.',
    retryable: true,
  }),
  INPUT_MEDIA_DURATION: giveUp({
    message: 'the video is longer than TikTok accepts',
    advice:
      'Cut it to at most 10 minutes, for example `ffmpeg -i in.mp4 -t 600 -c copy out.mp4`. A direct post may be as long as its creator may post.',
    retryable: true,
  }),
  INPUT_MEDIA_CHANGED: giveUp({
    message: 'the file changed while it was being published',
    advice: 'Do not change the file until the job has ended. Retry the job to publish the current version.',
    retryable: true,
  }),
  INPUT_MEDIA_BEING_WRITTEN: retry({
    message: 'the file is still being written',
    advice:
      'The job is retried automatically for about an hour. Write files under a temporary name, rename them when they are complete, and then enqueue them.',
  }),
  INPUT_DUPLICATE_VIDEO: giveUp({
    message: 'the same media were recently published on this account, or are already enqueued for it',
    advice: 'To post it twice, enqueue it again with "onDuplicate": "allow". If the other job fails, retry this one.',
    retryable: true,
  }),
  INPUT_MEDIA_OUTSIDE_ROOTS: giveUp({
    message: 'the file is outside the folders in MEDIA_ROOTS',
    advice:
      'Check the path. Move the file into one of the MEDIA_ROOTS folders, or ask the operator to set or extend MEDIA_ROOTS.',
  }),
  IDEMPOTENCY_CONFLICT: giveUp({
    message: 'the idempotency key was used with a different request',
    advice: 'Use a new key for a new request. Use the same key only to repeat the identical request.',
  }),
  JOB_NOT_FOUND: giveUp({
    message: 'no publish job has this id',
    advice: 'Check the id with `tiktok-publisher list`. Finished jobs are deleted after RETENTION_DAYS.',
  }),
  JOB_NOT_CANCELLABLE: giveUp({
    message: 'the job can no longer be cancelled',
    advice:
      'TikTok already has the media, or the job has ended. Wait for the job to end, then delete the post in the TikTok app.',
  }),
  JOB_NOT_CHANGEABLE: giveUp({
    message: 'the job can no longer be changed',
    advice: 'It has begun or ended. If it can still be cancelled, cancel it and enqueue a new request.',
  }),
  JOB_NOT_RETRYABLE: giveUp({
    message: 'the job cannot be retried without changes',
    advice:
      'Look at its failure. Correct the cause and enqueue a new request, or check on TikTok whether it was posted.',
  }),
  JOB_OVERDUE: giveUp({
    message: 'the job could not begin before the time in its notAfter',
    advice:
      'Nothing was sent to TikTok. The timeline of the job says what it waited for. To publish it anyway, enqueue it again with a later `notAfter`, or without.',
  }),
  OPERATION_NOT_FOUND: giveUp({
    message: 'no operation has this id',
    advice: 'Check the id with `tiktok-publisher operations list`. The newest 200 operations are kept.',
  }),
  OPERATION_LIMIT: giveUp({
    message: 'too many operations are unfinished',
    advice: 'Wait until one has ended, or abort one: see `tiktok-publisher operations list`. Workers carry them out.',
    retryable: true,
  }),
  EVENTS_CURSOR_LOST: giveUp({
    message: 'events after the cursor were deleted before they were read',
    advice:
      'Start again with after "0", the oldest stored event, and query the state of the jobs whose events you may have missed. Read more often: about 100,000 events are kept.',
  }),
  WAIT_TIMED_OUT: giveUp({
    message: 'the job did not end within the given time',
    advice: 'The job is still running. Query its state later, or wait again.',
    retryable: true,
  }),
} as const satisfies Record<string, ErrorRow>;
