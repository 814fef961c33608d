#!/usr/bin/env python3
"""Publishes a video from Python over the REST API and waits for the outcome; it needs the standard library alone.

    python3 enqueue.py /srv/media/a.mp4 acme my-post-1

The file lies where the service sees it, below one of its MEDIA_ROOTS. The last argument is the idempotency key: run it
again with the same one, and there is still one post.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

BASE_URL = os.environ.get("PUBLISHER_URL", "http://127.0.0.1:3000").rstrip("/")
API_KEY = os.environ.get("PUBLISHER_API_KEY")
OUTCOMES = {"published", "in_inbox", "failed", "cancelled", "unconfirmed"}
POLL_SECONDS = float(os.environ.get("POLL_SECONDS", "2"))
RETRIES = 5


def call(method, path, body=None, headers=None):
    """Calls the API. What is over by itself is tried again, which the idempotency key makes safe."""
    request = urllib.request.Request(BASE_URL + path, method=method, headers=dict(headers or {}))
    if API_KEY:
        request.add_header("Authorization", "Bearer " + API_KEY)
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    for attempt in range(1, RETRIES + 1):
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            if error.code not in (429, 502, 503, 504) or attempt == RETRIES:
                sys.exit(explain(error))
            time.sleep(float(error.headers.get("Retry-After", attempt)))
        except OSError as error:
            if attempt == RETRIES:
                sys.exit(f"{BASE_URL} cannot be reached: {error}")
            time.sleep(attempt)


def explain(error):
    """A problem document (RFC 9457) in words."""
    try:
        problem = json.load(error)
    except ValueError:
        return f"HTTP {error.code}"
    lines = [f"{problem.get('code')}: {problem.get('detail')}"]
    lines += [f"  {found['path']}: {found['message']}" for found in problem.get("problems", [])]
    return "\n".join(lines)


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: python3 enqueue.py <video> <account> <idempotency-key>")
    path, account, key = sys.argv[1:]
    job = call(
        "POST",
        "/v1/publishes",
        {
            "account": account,
            "mode": "direct",
            "media": {"type": "file", "path": path},
            "post": {"title": "Hello from Python", "privacyLevel": "SELF_ONLY"},
        },
        {"Idempotency-Key": key},
    )
    while job["state"] not in OUTCOMES:
        time.sleep(POLL_SECONDS)
        job = call("GET", "/v1/publishes/" + job["id"])
    failure = job.get("failure") or {}
    print(job["id"], job["state"], failure.get("advice", ""))
    return 0 if job["state"] in ("published", "in_inbox") else 1


if __name__ == "__main__":
    sys.exit(main())
