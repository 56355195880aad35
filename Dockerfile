# One image for every role, for the profile `roles` of docker-compose.yml, which says what each may do.
ARG DENO_VERSION=2.9.6

FROM denoland/deno:${DENO_VERSION} AS build
WORKDIR /app
COPY . .
# Everything that the roles load is fetched here, as deno.lock says and not otherwise: at run time
# nothing is fetched, and nothing but the data can be written. What a role loads only where it is
# configured (SMTP_URL, HEALTH_PORT) is found too: an import() of a literal is part of the graph.
RUN deno cache --frozen \
      setup/queues/setup_queues.ts \
      consumers/email.ts consumers/loyalty.ts consumers/analytics.ts consumers/dead_letter.ts \
      publisher/api/users_api.ts \
      shared/health/check.ts

FROM denoland/deno:${DENO_VERSION}
# Owned by root, and the roles are not root: no role can change what it or another one runs.
COPY --from=build /deno-dir /deno-dir
COPY --from=build /app /app
# A named volume that is empty takes its owner from the folder that it is mounted on.
RUN for name in email loyalty analytics dead_letters users; do \
      install -d -o deno -g deno -m 0700 "/app/data/$name"; \
    done
WORKDIR /app
USER deno
