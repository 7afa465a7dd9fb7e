import { expect, test } from "vitest";
import { type BuildSurroundings, buildxArgv, classicArgv } from "../../../src/images/build-argv.ts";
import { dockerBuild } from "./fixtures.ts";

const around: BuildSurroundings = {
  context: "/src/app",
  dockerfile: "/tmp/b/Dockerfile",
  iidFile: "/tmp/b/iid",
  load: false,
  namedContexts: [],
  cacheTo: [],
  cacheFrom: [],
  skipPull: false,
};
const LABELS = ["--label", "dev.tilt.built=true", "--label", "dev.tilt.gc=true"];

test("buildxArgv() is short for an image that asks for nothing", () => {
  expect(buildxArgv(dockerBuild(), around)).toEqual([
    ...["docker", "buildx", "build", "--progress=plain"],
    ...["--file", "/tmp/b/Dockerfile", "--iidfile", "/tmp/b/iid", ...LABELS],
    "/src/app",
  ]);
});

test("buildxArgv() passes every parameter of docker_build", () => {
  const image = dockerBuild({
    buildArgs: { B: "two words", A: "1", FROM_ENV: "" },
    target: "release",
    ssh: ["default", "k=/key"],
    secret: ["id=token,src=/t"],
    network: "host",
    extraTags: ["extra/one:1", "extra/two"],
    cacheFrom: ["cache/app:latest"],
    pull: true,
    extraHosts: ["db:10.0.0.1"],
  });
  const surroundings = {
    ...around,
    builder: "remote",
    load: true,
    platform: "linux/arm64",
    namedContexts: ["base:tilt-1=oci-layout:///tmp/b/base-0@sha256:1"],
    cacheTo: ["type=local,dest=/c/app"],
    cacheFrom: ["type=local,src=/c/app"],
  };
  expect(buildxArgv(image, surroundings)).toEqual([
    ...["docker", "buildx", "build", "--progress=plain", "--builder", "remote"],
    ...["--file", "/tmp/b/Dockerfile", "--iidfile", "/tmp/b/iid", "--load", ...LABELS],
    ...["--tag", "extra/one:1", "--tag", "extra/two"],
    ...["--build-arg", "A=1", "--build-arg", "B=two words", "--build-arg", "FROM_ENV"],
    ...["--target", "release", "--platform", "linux/arm64", "--network", "host"],
    ...["--add-host", "db:10.0.0.1", "--pull", "--ssh", "default", "--ssh", "k=/key"],
    ...["--secret", "id=token,src=/t"],
    ...["--build-context", "base:tilt-1=oci-layout:///tmp/b/base-0@sha256:1"],
    ...["--cache-from", "cache/app:latest", "--cache-from", "type=local,src=/c/app"],
    ...["--cache-to", "type=local,dest=/c/app"],
    "/src/app",
  ]);
});

test("buildxArgv() leaves --pull out once the bases are pulled", () => {
  expect(buildxArgv(dockerBuild({ pull: true }), { ...around, skipPull: true })).not.toContain(
    "--pull",
  );
});

test("classicArgv() has what the classic builder knows", () => {
  const image = dockerBuild({
    buildArgs: { A: "1" },
    target: "t",
    network: "none",
    cacheFrom: ["c"],
    pull: true,
  });
  expect(classicArgv(image, { ...around, context: "-", platform: "linux/amd64" })).toEqual([
    ...["docker", "build", "--file", "/tmp/b/Dockerfile", "--iidfile", "/tmp/b/iid", ...LABELS],
    ...["--build-arg", "A=1", "--target", "t", "--platform", "linux/amd64", "--network", "none"],
    ...["--pull", "--cache-from", "c", "-"],
  ]);
});
