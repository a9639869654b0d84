# The command line as an image:
#
#     docker build -t samestory .
#     docker run --rm -v "$PWD:/data" samestory cluster feed.jsonl -o clusters.jsonl
FROM rust:1.91-slim-bookworm AS build
WORKDIR /samestory
COPY . .
RUN cargo build --locked --profile dist --bin samestory

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /samestory/target/dist/samestory /usr/bin/samestory
WORKDIR /data
ENTRYPOINT ["/usr/bin/samestory"]
