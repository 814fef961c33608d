#!/usr/bin/env bash
# Makes assets/demo.mp4, the video that `tiktok-publisher demo` publishes: 4 s of a test picture and a tone in the
# form TikTok recommends (MP4, H.264 + AAC, 1080x1920, 30 fps). Needs ffmpeg; run it only to change the video.
set -euo pipefail
cd "$(dirname "$0")/.."
ffmpeg -hide_banner -loglevel error -y \
  -f lavfi -i testsrc2=size=1080x1920:rate=30:duration=4 \
  -f lavfi -i sine=frequency=440:sample_rate=48000:duration=4 \
  -c:v libx264 -preset veryslow -crf 30 -pix_fmt yuv420p -g 60 \
  -c:a aac -b:a 96k \
  -map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact \
  -movflags +faststart -shortest assets/demo.mp4
ls -l assets/demo.mp4
