# Both images by digest, which Dependabot keeps up to date. The lock file decides the packages, and none runs a script.
FROM node:22.23.3-bookworm-slim@sha256:c3de60bf2f9dd0ac6370e6117950ff62d6e339527e7472301c9c78a017978392 AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.mjs scripts/bundle.mjs scripts/
COPY src src
# The bundle has the packages that it uses inside, so the image needs no node_modules.
RUN npm run build

FROM node:22.23.3-bookworm-slim@sha256:c3de60bf2f9dd0ac6370e6117950ff62d6e339527e7472301c9c78a017978392
# As process 1 it forwards signals from the start and reaps zombie processes.
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
WORKDIR /app
COPY package.json LICENSE ./
COPY assets assets
COPY --from=build /app/dist dist
# Workers store the last seen ledger version here; a volume keeps it across containers. Nothing else is written but /tmp, so
# the root file system may be read-only.
ENV DATA_DIR=/var/lib/tiktok-publisher
RUN install -d -o node -g node -m 0700 "$DATA_DIR"
USER node
EXPOSE 3000
# Only liveness: a container that waits for Redis must not be restarted.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "node", "dist/bin/tiktok-publisher.js"]
CMD ["start"]
