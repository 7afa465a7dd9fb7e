import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A git repository in a temporary folder, with a bare one as its remote `origin`. */
export class Repository implements Disposable {
  readonly #root = realpathSync(mkdtempSync(join(tmpdir(), "tci-git-")));
  readonly path = join(this.#root, "work");
  readonly env: Readonly<Record<string, string>>;

  constructor() {
    this.env = {
      PATH: process.env.PATH ?? "",
      HOME: this.#root,
      XDG_STATE_HOME: join(this.#root, "state"),
      GIT_CONFIG_GLOBAL: join(this.#root, "gitconfig"),
      GIT_CONFIG_NOSYSTEM: "1",
    };
    writeFileSync(join(this.#root, "gitconfig"), "[user]\nname = T\nemail = t@example.com\n");
    mkdirSync(this.path);
    const remote = join(this.#root, "remote.git");
    this.git("init", "--quiet", "--initial-branch=main");
    this.git("init", "--quiet", "--bare", remote);
    this.git("remote", "add", "origin", remote);
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  git(...argv: string[]): string {
    return execFileSync("git", argv, {
      cwd: this.path,
      env: this.env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  }

  write(file: string, text: string, mode = 0o644): void {
    const path = join(this.path, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    chmodSync(path, mode);
  }

  /** Writes files and commits everything; returns the commit. */
  commit(files: Readonly<Record<string, string>>): string {
    for (const [file, text] of Object.entries(files)) this.write(file, text);
    this.git("add", "--all");
    this.git("commit", "--quiet", "--message", "change");
    return this.git("rev-parse", "HEAD");
  }
}
