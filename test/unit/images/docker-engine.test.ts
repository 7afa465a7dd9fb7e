import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDocker } from "../../../src/images/create-docker.ts";
import { DockerError } from "../../../src/images/docker.ts";
import { engineSocket } from "../../../src/images/docker-config.ts";
import { fakeHost, knownImages } from "./fake-host.ts";
import { digest } from "./fixtures.ts";

const { signal } = new AbortController();
const IMAGE = {
  Id: digest("1"),
  RepoTags: ["localhost:5001/a/b:t", "a/b:t"],
  RootFS: { Layers: [digest("a")] },
  Size: 7,
};

let directory: string;
let socket: string;
let server: Server;
let seen: string[];
let answers: Record<string, [number, string]>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tilt-ci-engine-"));
  socket = join(directory, "docker.sock");
  seen = [];
  answers = { "GET /_ping": [200, "OK"] };
  server = createServer((request, response) => {
    const name = `${request.method} ${request.url}`;
    seen.push(name);
    const [status, body] = answers[name] ?? [404, '{"message":"No such image: x"}'];
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true, force: true });
});

const dockerAt = (path = socket, host = fakeHost()) =>
  createDocker(host, { DOCKER_HOST: `unix://${path}` });

describe("the engine's API", () => {
  test("inspect() gives what the engine has, by the name asked for", async () => {
    answers["GET /images/localhost:5001/a/b:t/json"] = [200, JSON.stringify(IMAGE)];
    const found = await dockerAt().inspect(["localhost:5001/a/b:t", "none"], signal);
    const local = { id: digest("1"), repoTags: IMAGE.RepoTags, diffIds: [digest("a")], size: 7 };
    expect([...found]).toEqual([["localhost:5001/a/b:t", local]]);
  });

  test("inspect() throws for an engine in trouble", async () => {
    answers["GET /images/a/json"] = [500, '{"message":"disk on fire"}'];
    await expect(dockerAt().inspect(["a"], signal)).rejects.toThrow("disk on fire");
  });

  test("tag() sends repository and tag apart", async () => {
    const docker = dockerAt();
    const path = `POST /images/${digest("1")}/tag?`;
    answers[`${path}repo=localhost%3A5001%2Fa&tag=t`] = [201, ""];
    answers[`${path}repo=localhost%3A5001%2Fa&tag=latest`] = [201, ""];
    await docker.tag(digest("1"), "localhost:5001/a:t", signal);
    await docker.tag(digest("1"), "localhost:5001/a", signal);
    const error = await docker.tag("x", "y", signal).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DockerError);
    expect((error as DockerError).message).toBe("No such image: x");
  });

  test("names() and untag() work on names only", async () => {
    answers["GET /images/json"] = [
      200,
      JSON.stringify([IMAGE, { RepoTags: null }, { RepoTags: ["<none>:<none>"] }]),
    ];
    answers["DELETE /images/a/b:t?noprune=1"] = [200, "[]"];
    const docker = dockerAt();
    expect(await docker.names(signal)).toEqual(IMAGE.RepoTags);
    await docker.untag(["a/b:t"], signal);
    expect(seen.at(-1)).toBe("DELETE /images/a/b:t?noprune=1");
  });

  test("save() streams the archive of several images", async () => {
    answers[`GET /images/get?names=a&names=b%3At`] = [200, "x".repeat(100_000)];
    let length = 0;
    for await (const part of dockerAt().save(["a", "b:t"], signal)) length += part.length;
    expect(length).toBe(100_000);
    const missing = async () => {
      for await (const _ of dockerAt().save(["none"], signal));
    };
    await expect(missing()).rejects.toThrow("No such image: x");
  });

  test("info() knows Docker and no other engine", async () => {
    answers["GET /info"] = [
      200,
      '{"ServerVersion":"27.1.0","Driver":"overlay2","DockerRootDir":"/d"}',
    ];
    expect(await dockerAt().info(signal)).toEqual({
      major: 27,
      rootDirectory: "/d",
      storageDriver: "overlay2",
      containerdStore: false,
    });
    answers["GET /info"] = [200, "{}"];
    await expect(dockerAt().info(signal)).rejects.toThrow("tells no version");
  });

  test("gives way to the command line where the engine does not answer", async () => {
    answers["GET /_ping"] = [403, ""];
    const host = fakeHost(knownImages({ a: { id: digest("1") } }));
    expect((await dockerAt(socket, host).inspect(["a"], signal)).size).toBe(1);
    expect(host.calls).toHaveLength(1);
  });
});

describe("engineSocket()", () => {
  test("is the socket that DOCKER_HOST names, if it can be used", async () => {
    expect(await engineSocket({ DOCKER_HOST: `unix://${socket}` })).toBe(socket);
    expect(await engineSocket({ DOCKER_HOST: `unix://${directory}/none` })).toBeUndefined();
  });

  test.each([
    ["an engine elsewhere", { DOCKER_HOST: "tcp://10.0.0.1:2376" }],
    ["a context by its name", { DOCKER_CONTEXT: "far", HOME: "/nonexistent" }],
    ["nobody's home", {}],
  ])("is undefined for %s", async (_, env) => {
    expect(await engineSocket(env)).toBeUndefined();
  });

  test("is undefined where another context is current", async () => {
    await writeFile(
      join(directory, "config.json"),
      '{"auths":{},"currentContext":"desktop-linux"}',
    );
    expect(await engineSocket({ DOCKER_CONFIG: directory })).toBeUndefined();
  });
});
