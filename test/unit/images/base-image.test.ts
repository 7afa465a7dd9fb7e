import { expect, test } from "vitest";
import { rootImage } from "../../../src/images/base-image.ts";
import { familiarReference } from "../../../src/manifests/image-reference.ts";

test.each([
  ["the only stage", "FROM python:3\nRUN x", undefined, "python:3"],
  [
    "the last stage",
    "FROM golang AS build\nRUN x\nFROM alpine\nCOPY --from=build /a /a",
    undefined,
    "alpine",
  ],
  [
    "a stage on a stage on an image",
    "FROM alpine AS base\nFROM base AS tools\nFROM tools",
    undefined,
    "alpine",
  ],
  ["the target stage", "FROM golang AS build\nFROM alpine", "build", "golang"],
  ["the target stage in another case", "FROM golang AS Build\nFROM alpine", "bUILD", "golang"],
  ["the target stage by number", "FROM golang\nFROM alpine", "0", "golang"],
  ["an argument", "ARG V=3\nFROM python:$V", undefined, "python:3"],
  ["a platform", "FROM --platform=linux/amd64 python:3 AS x", undefined, "python:3"],
  ["nothing", "FROM scratch\nCOPY a /", undefined, undefined],
  ["nothing through a stage", "FROM scratch AS empty\nFROM empty", undefined, undefined],
  ["the image of a stage's name", "FROM alpine AS python\nFROM python", undefined, "alpine"],
])("rootImage() is that of %s", (_, dockerfileContents, target, expected) => {
  const image = { dockerfileContents, buildArgs: {}, ...(target ? { target } : {}) };
  const root = rootImage(image);
  expect(root && familiarReference(root)).toBe(expected);
});

test("rootImage() expands build arguments", () => {
  const root = rootImage({
    dockerfileContents: "ARG BASE\nFROM $BASE",
    buildArgs: { BASE: "redis:7" },
  });
  expect(root && familiarReference(root)).toBe("redis:7");
});
