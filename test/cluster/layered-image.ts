/**
 * An image of several layers with all that a layer can do to those below it and all that a file can be: files and
 * whole directories deleted or replaced (whiteouts), hard links, extended attributes, capabilities, set-user-id bits.
 * Its layers are written byte by byte: what `docker build` makes has no attributes but capabilities.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Entry {
  readonly path: string;
  readonly type?: "directory" | "symlink" | "link" | "fifo";
  readonly mode?: number;
  readonly owner?: readonly [uid: number, gid: number];
  readonly text?: string;
  /** Of links. */
  readonly target?: string;
  readonly attributes?: Readonly<Record<string, Buffer>>;
}

const BASE = "busybox:latest";
const TYPE_FLAGS = { file: "0", link: "1", symlink: "2", directory: "5", fifo: "6" } as const;

const directory = (path: string, mode = 0o755): Entry => ({ path, type: "directory", mode });
const file = (path: string, text: string, mode = 0o644): Entry => ({ path, text, mode });
const symlink = (path: string, target: string): Entry => ({ path, type: "symlink", target });
const deleted = (path: string): Entry => file(path.replace(/([^/]+)$/, ".wh.$1"), "");

/** `cap_net_bind_service` permitted and effective (linux/capability.h, vfs_cap_data of revision 2). */
const CAPABILITY = Buffer.alloc(20);
CAPABILITY.writeUInt32LE(0x02000001, 0);
CAPABILITY.writeUInt32LE(1 << 10, 4);
const NOTE = Buffer.from("hello, attribute");

/** From the lowest to the topmost. */
const LAYERS: readonly (readonly Entry[])[] = [
  // nothing in it but attributes needs more than a plain copy
  [
    directory("t"),
    { ...file("t/noted", "noted\n"), attributes: { "user.note": NOTE } },
    { ...file("t/capable", "capable\n", 0o755), attributes: { "security.capability": CAPABILITY } },
    file("t/deleted", "old\n"),
    directory("t/deleted-directory"),
    file("t/deleted-directory/inner", "old\n"),
    directory("t/emptied"),
    file("t/emptied/a", "old\n"),
    directory("t/emptied/b"),
    file("t/emptied/b/c", "old\n"),
    file("t/replaced", "old\n"),
    file("t/was-file", "old\n"),
    directory("t/was-directory"),
    file("t/was-directory/inner", "old\n"),
    file("t/kept", "kept\n"),
  ],
  [
    directory("t"),
    deleted("t/deleted"),
    deleted("t/deleted-directory"),
    directory("t/emptied"),
    file("t/emptied/.wh..wh..opq", ""),
    file("t/emptied/new", "new\n"),
    deleted("t/was-file"),
    directory("t/was-file"),
    file("t/was-file/inner", "new\n"),
    deleted("t/was-directory"),
    file("t/was-directory", "new\n"),
    { path: "t/pipe", type: "fifo", mode: 0o600 },
  ],
  // nothing in it needs more than a plain copy
  [
    directory("t"),
    file("t/replaced", "new\n"),
    file("t/one", "linked\n"),
    { path: "t/two", type: "link", target: "t/one" },
    file("t/set-user-id", "", 0o4755),
    { ...file("t/set-group-id", "", 0o2755), owner: [0, 50] },
    directory("t/sticky", 0o1777),
    { ...file("t/owned", "owned\n", 0o640), owner: [1000, 2000] },
    symlink("t/absolute", "/t/kept"),
    symlink("t/relative", "was-file/inner"),
    symlink("t/dangling", "nowhere"),
    file("t/a name with spaces", "spaces\n"),
    file("t/ünï", "ünï\n"),
  ],
];

/** Prints what is in /t, in busybox's words; `EXPECTED_LISTING` is what it has to print. */
export const LIST_COMMAND = [
  "cd /t",
  "find . ! -type d -exec stat -c '%n|%F|%a|%u:%g|%h' {} + | sort",
  "find . -type d -exec stat -c '%n|%F|%a|%u:%g' {} + | sort",
  "for link in absolute relative dangling; do echo $link to $(readlink $link); done",
  "[ one -ef two ] && echo one is two",
  "for file in absolute relative replaced emptied/new was-directory owned 'a name with spaces' ünï; do cat \"$file\"; done",
].join("; ");

/** Of the image as it is. */
export const EXPECTED_LISTING = `
./a name with spaces|regular file|644|0:0|1
./absolute|symbolic link|777|0:0|1
./capable|regular file|755|0:0|1
./dangling|symbolic link|777|0:0|1
./emptied/new|regular file|644|0:0|1
./kept|regular file|644|0:0|1
./noted|regular file|644|0:0|1
./one|regular file|644|0:0|2
./owned|regular file|640|1000:2000|1
./pipe|fifo|600|0:0|1
./relative|symbolic link|777|0:0|1
./replaced|regular file|644|0:0|1
./set-group-id|regular empty file|2755|0:50|1
./set-user-id|regular empty file|4755|0:0|1
./two|regular file|644|0:0|2
./was-directory|regular file|644|0:0|1
./was-file/inner|regular file|644|0:0|1
./ünï|regular file|644|0:0|1
./emptied|directory|755|0:0
./sticky|directory|1777|0:0
./was-file|directory|755|0:0
.|directory|755|0:0
absolute to /t/kept
relative to was-file/inner
dangling to nowhere
one is two
kept
new
new
new
new
owned
spaces
ünï
`.trimStart();

/** What `tar --xattrs` says of /t/noted and /t/capable, each a record of a PAX header. */
export const EXPECTED_ATTRIBUTES: readonly Buffer[] = [
  paxRecord("user.note", NOTE),
  paxRecord("security.capability", CAPABILITY),
];

/** Puts the image into the local Docker. */
export function loadLayeredImage(ref: string): void {
  const folder = mkdtempSync(join(tmpdir(), "tci-layered-"));
  const run = (program: string, ...args: readonly string[]) =>
    execFileSync(program, args, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  const json = (path: string) => JSON.parse(readFileSync(join(folder, path), "utf8"));
  try {
    run("docker", "save", "--output", "base.tar", BASE);
    run("tar", "-xf", "base.tar");
    const [base] = json("manifest.json") as { Config: string; Layers: string[] }[];
    const config = json(base!.Config) as { rootfs: { diff_ids: string[] }; history: object[] };
    const layers = LAYERS.map((entries, index) => {
      const path = `layer-${index}.tar`;
      const bytes = layerTar(entries);
      writeFileSync(join(folder, path), bytes);
      return { path, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` };
    });
    const rootfs = {
      ...config.rootfs,
      diff_ids: [...config.rootfs.diff_ids, ...layers.map(({ digest }) => digest)],
    };
    const history = [...config.history, ...layers.map(({ path }) => ({ created_by: path }))];
    writeFileSync(join(folder, "config.json"), JSON.stringify({ ...config, rootfs, history }));
    const Layers = [...base!.Layers, ...layers.map(({ path }) => path)];
    const manifest = [{ Config: "config.json", RepoTags: [ref], Layers }];
    writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
    const files = ["manifest.json", "config.json", ...Layers];
    run("tar", "-cf", "image.tar", ...files);
    run("docker", "load", "--quiet", "--input", "image.tar");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A layer as a PAX archive. */
function layerTar(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const attributes = Object.entries(entry.attributes ?? {});
    const records = Buffer.concat(attributes.map(([name, value]) => paxRecord(name, value)));
    return [
      ...(attributes.length > 0 ? [header({ path: "pax" }, "x", records.length)] : []),
      padded(records),
      header(entry, TYPE_FLAGS[entry.type ?? "file"], Buffer.byteLength(entry.text ?? "")),
      padded(Buffer.from(entry.text ?? "")),
    ];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** `LENGTH KEY=VALUE\n`, whose length counts its own digits. */
function paxRecord(name: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` SCHILY.xattr.${name}=`), value, Buffer.from("\n")]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length += 1;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function header(
  { path, mode = 0o644, owner = [0, 0], target = "" }: Entry,
  flag: string,
  size: number,
) {
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, length: number) =>
    block.write(value.toString(8).padStart(length - 1, "0"), at);
  block.write(path, 0);
  octal(mode, 100, 8);
  octal(owner[0], 108, 8);
  octal(owner[1], 116, 8);
  octal(size, 124, 12);
  octal(Date.UTC(2026, 0, 1) / 1000, 136, 12);
  block.write(" ".repeat(8), 148);
  block.write(flag, 156);
  block.write(target, 157);
  block.write("ustar\u000000", 257, "latin1");
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return block;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}
