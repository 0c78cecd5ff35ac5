import { describe, expect, it } from "vitest";
import { parseS3Url } from "./s3-url.ts";

describe("BLOBS_URL=s3:", () => {
  it.each([
    ["s3://qinfra", { bucket: "qinfra", prefix: "", pathStyle: false }],
    ["s3://qinfra/", { bucket: "qinfra", prefix: "", pathStyle: false }],
    ["s3://my.bucket-1/a//b/?region=eu-central-1", { bucket: "my.bucket-1", prefix: "a/b/", region: "eu-central-1", pathStyle: false }],
    ["s3://qinfra/p?endpoint=https://minio.example:9000/&path-style=true", { bucket: "qinfra", prefix: "p/", region: "us-east-1", endpoint: "https://minio.example:9000", pathStyle: true }],
    ["s3://qinfra?endpoint=http%3A%2F%2F127.0.0.1%3A7070&region=r-1", { bucket: "qinfra", prefix: "", region: "r-1", endpoint: "http://127.0.0.1:7070", pathStyle: false }],
  ])("%s", (url, place) => {
    expect(parseS3Url(url)).toEqual(place);
  });

  it.each([
    ["s3:bucket", /no s3:|names no bucket/],
    ["s3://", /names no bucket|no s3:/],
    ["s3://Bucket", /names no bucket/],
    ["s3://a", /names no bucket/],
    ["s3://bucket:9000/x", /names no bucket/],
    ["s3://AKIA:verysecret@bucket/x", /holds credentials/],
    ["s3://bucket/a%20b", /prefix has characters/],
    ["s3://bucket?access-key=verysecret", /"access-key", which is not known/],
    ["s3://bucket#verysecret", /a fragment/],
    ["s3://bucket?region=EU west", /region is lower-case/],
    ["s3://bucket?path-style=yes", /path-style is true or false/],
    ["s3://bucket?endpoint=minio:9000", /endpoint is an http or https URL/],
    ["s3://bucket?endpoint=https://key:verysecret@host", /endpoint is an http or https URL without credentials/],
  ])("refuses %s, and repeats no secret", (url, message) => {
    expect(() => parseS3Url(url)).toThrow(message);
    expect(() => parseS3Url(url)).not.toThrow("verysecret");
  });
});
