import type { ErrorRow } from '../verdict.ts';
import { giveUp, retry } from './row.ts';

/** What the caller can put right. */
export const INPUT_ROWS = {
  INPUT_INVALID: giveUp({
    message: 'the input is not valid',
    advice: 'Correct every field named in the problems and send it again.',
  }),
  INPUT_VERSION_UNSUPPORTED: giveUp(
    {
      message: 'the publish request has a version this program does not read',
      advice: 'Send version 1, or upgrade the workers before the producers.',
    },
    { retryable: true, alert: 'count' },
  ),
  INPUT_ACCOUNT_UNKNOWN: giveUp(
    {
      message: 'no account of this name is connected',
      advice:
        'Check the spelling with `tiktok-publisher accounts list`, or connect it with `accounts add`, then retry.',
    },
    { retryable: true },
  ),
  INPUT_MEDIA_NOT_FOUND: giveUp(
    {
      message: 'the video does not exist',
      advice:
        'Check the path, the URL, or bucket and key. A path is read by the worker, so the file must be on the machine of the worker. Then retry.',
    },
    { retryable: true },
  ),
  INPUT_MEDIA_NOT_READABLE: giveUp(
    {
      message: 'the video file may not be read',
      advice: 'Give the user of the worker the right to read the file and to enter its folders, then retry.',
    },
    { retryable: true },
  ),
  INPUT_MEDIA_NOT_A_FILE: giveUp({
    message: 'the path does not name a regular file',
    advice: 'Name a regular file: a directory, pipe, socket or device cannot be uploaded.',
  }),
  INPUT_MEDIA_EMPTY: giveUp(
    {
      message: 'the video file is empty',
      advice: 'Enqueue the video after it was written completely.',
    },
    { retryable: true },
  ),
  INPUT_MEDIA_TOO_LARGE: giveUp({
    message: 'the video file is larger than TikTok accepts',
    advice: 'Encode the video to at most 4,000,000,000 bytes.',
  }),
  INPUT_MEDIA_CONTAINER_UNSUPPORTED: giveUp({
    message: 'the file is not an MP4, MOV or WebM video',
    advice: 'Convert the video to MP4 with H.264, for example `ffmpeg -i in.mkv -c:v libx264 -c:a aac out.mp4`.',
  }),
  INPUT_MEDIA_INCOMPLETE: giveUp(
    {
      message: 'the video file is not all there',
      advice: 'Enqueue the video once it was written, or copied, to its end.',
    },
    { retryable: true },
  ),
  INPUT_MEDIA_NO_VIDEO: giveUp({
    message: 'the file holds no video track',
    advice: 'Give sound a picture to go with, for example `ffmpeg -loop 1 -i cover.jpg -i in.m4a -shortest out.mp4`.',
  }),
  INPUT_MEDIA_CODEC: giveUp(
    {
      message: 'the video has a codec that TikTok does not document',
      advice: 'Encode it with H.264, for example `ffmpeg -i in.mp4 -c:v libx264 -c:a aac out.mp4`.',
    },
    { retryable: true },
  ),
  INPUT_MEDIA_FRAME_RATE: giveUp(
    {
      message: 'the video has a frame rate that TikTok does not accept',
      advice: 'Encode it with 23 to 60 frames a second, for example `ffmpeg -i in.mp4 -r 30 out.mp4`.',
    },
    { retryable: true },
  ),
  INPUT_MEDIA_PICTURE_SIZE: giveUp(
    {
      message: 'the video has a picture size that TikTok does not accept',
      advice: 'Scale it to 360 to 4096 pixels each way, for example `ffmpeg -i in.mp4 -vf scale=1080:-2 out.mp4`.',
    },
    { retryable: true },
  ),
  INPUT_MEDIA_DURATION: giveUp(
    {
      message: 'the video is longer than TikTok accepts',
      advice: 'Cut it to at most 10 minutes, for example `ffmpeg -i in.mp4 -t 600 -c copy out.mp4`.',
    },
    { retryable: true },
  ),
  INPUT_MEDIA_CHANGED: giveUp(
    {
      message: 'the video changed while it was being published',
      advice: 'Leave it as it is until the job has ended. Retry the job to publish what is there now.',
    },
    { retryable: true },
  ),
  INPUT_MEDIA_BEING_WRITTEN: retry({
    message: 'the video is still being written',
    advice:
      'It is tried again by itself, for about an hour. Write videos under another name, rename them when they are whole, and enqueue them then.',
  }),
  INPUT_DUPLICATE_VIDEO: giveUp(
    {
      message: 'the same video was published on this account not long ago, or is about to be',
      advice:
        'If it is meant to be posted twice, enqueue it again with "onDuplicate": "allow". If the other job fails, retry this one.',
    },
    { retryable: true },
  ),
  INPUT_MEDIA_OUTSIDE_ROOTS: giveUp({
    message: 'the video file lies outside the folders that may be published from',
    advice: 'Move the file below one of MEDIA_ROOTS, or let the operator add its folder there.',
  }),
  IDEMPOTENCY_CONFLICT: giveUp({
    message: 'the idempotency key was used with another request',
    advice: 'Use a new key for a new request; the same key is only for repeating the very same one.',
  }),
  JOB_NOT_FOUND: giveUp({
    message: 'there is no publish job of this id',
    advice: 'Check the id with `tiktok-publisher list`; finished jobs are dropped after RETENTION_DAYS.',
  }),
  JOB_NOT_CANCELLABLE: giveUp({
    message: 'the job can no longer be cancelled',
    advice: 'TikTok has the video already, or the job has ended: watch it to its end and delete the post in the app.',
  }),
  JOB_NOT_RETRYABLE: giveUp({
    message: 'the job cannot be retried as it is',
    advice:
      'Look at its failure: correct the cause and enqueue a new request, or check on TikTok whether it was posted.',
  }),
  EVENTS_CURSOR_LOST: giveUp({
    message: 'events after the cursor were dropped before they were read',
    advice:
      'Begin again with after "0", the oldest event kept, and ask for the state of the jobs whose events you may have missed. Read more often: about the newest 100,000 events are kept.',
  }),
  WAIT_TIMED_OUT: giveUp(
    {
      message: 'the job had no outcome in the time given',
      advice: 'The job goes on: ask for its status later or wait again.',
    },
    { retryable: true },
  ),
} as const satisfies Record<string, ErrorRow>;
