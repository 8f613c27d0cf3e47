# The host itself in a container beside the engine; compose.yaml says how it is run.
# BASE is any Debian 12 or 13 with Node.js (20 or later; 22.13 or later brings its own SQLite) and npm on the PATH.
ARG BASE=node:22-bookworm-slim

FROM ${BASE} AS build
USER root
WORKDIR /hearth
COPY package.json package-lock.json ./
# Scripts of packages only make binaries that are not needed here: esbuild brings its own, and SQLite is Node's.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY scripts scripts
COPY src src
RUN node scripts/build.mjs && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${BASE}
USER root
# e2fsprogs and mount: /tmp of a function is an ext4 of its own. iptables: what a function may reach. mmdebstrap: base systems for
# runtime images where no registry is in reach.
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates e2fsprogs iptables mmdebstrap mount \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /hearth
COPY --from=build /hearth/node_modules node_modules
COPY --from=build /hearth/dist dist
COPY package.json LICENSE ./
COPY bin bin
COPY runtimes runtimes
COPY examples examples
ENV PATH=/hearth/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENTRYPOINT ["node", "/hearth/bin/hearth.mjs"]
CMD ["start", "--example", "hello"]
