import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const progress = resolve("scripts/progress.mjs");

/** Runs a script that waits in a command of its own, and ends it with a signal there. */
async function interrupted(body: string) {
  const script = `
    import { run } from ${JSON.stringify(progress)};
    const wait = [process.execPath, "-e", "console.log('waiting'); setTimeout(() => {}, 60_000)"];
    const print = (text) => [process.execPath, "-e", "console.log(" + JSON.stringify(text) + ")"];
    const show = "everything";
    ${body}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (text.includes("waiting")) child.kill("SIGTERM");
  });
  const [exitCode] = await once(child, "close");
  return { output, exitCode };
}

test("a signal ends the step that runs and starts no other", async () => {
  const { output, exitCode } = await interrupted(`
    const { exitCode } = await run("Waiting", wait, { show });
    console.log("ended with " + exitCode);
    await run("Going on", print("went on"), { show });`);
  expect(output).toBe("waiting\nended with 143\n");
  expect(exitCode).toBe(143);
});

test("what looks after a step that was ended still runs", async () => {
  const { output, exitCode } = await interrupted(`
    await run("Waiting", wait, { show });
    await run("Looking", print("looked"), { show, afterSignal: true });`);
  expect(output).toBe("waiting\nlooked\n");
  expect(exitCode).toBe(0);
});
