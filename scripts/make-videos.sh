#!/usr/bin/env bash
# Makes the videos that the package ships, both in the form TikTok recommends (MP4, H.264 + AAC, upright, 30 fps):
# assets/demo.mp4, 4 s, which `tiktok-publisher demo` publishes, and assets/live.mp4, 1 s, for `doctor --live`.
# Needs ffmpeg; run it only to change the videos.
set -euo pipefail
cd "$(dirname "$0")/.."

# make PICTURE SECONDS QUALITY FILE
make() {
  ffmpeg -hide_banner -loglevel error -y \
    -f lavfi -i "$1:rate=30:duration=$2" \
    -f lavfi -i "sine=frequency=440:sample_rate=48000:duration=$2" \
    -c:v libx264 -preset veryslow -crf "$3" -pix_fmt yuv420p -g 60 \
    -c:a aac -b:a 96k \
    -map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact \
    -movflags +faststart -shortest "assets/$4"
  ls -l "assets/$4"
}

make testsrc2=size=1080x1920 4 30 demo.mp4
make smptebars=size=720x1280 1 28 live.mp4
