# One image for each process: docker build --build-arg MODULE=bff-web .
# MODULE is a folder of this workspace with a main package: bff-mobile, bff-partner, bff-web, mockservices or devstack.

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY . .
ARG MODULE
# How this machine reaches Go modules; empty is how Go does by itself. (A proxy in HTTPS_PROXY needs no ARG.)
ARG GOPROXY GOPRIVATE GONOPROXY GONOSUMDB GOSUMDB GOFLAGS
# One build at a time: the next ones find nearly all that they would compile.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build,sharing=locked \
    CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "/out/${MODULE:?is the folder to build}" "./$MODULE" \
    && ln -s "/$MODULE" /out/app

# The tag moves with fixes of Debian's certificates and time zones, which is all there is in it.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/ /
# docker exec finds the binary by its name.
ENV PATH=/
USER 65532:65532
# A container of one stand-in says which: healthcheck users.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["/app", "healthcheck"]
ENTRYPOINT ["/app"]
