import { fromJsString, makeBuiltin, types, unpack, type Value } from "../../starlark/index.ts";
import { join } from "../go/path.ts";
import { Opaque } from "./opaque.ts";

/** What local_git_repo() returns: a directory that paths can be asked of. */
export class GitRepo extends Opaque<string> {
  constructor(directory: string) {
    super("git.Repo", "*git.Repo", `[git.Repo] '${directory}'`, directory);
  }

  /** The absolute path of something in the repository. */
  path(relative: string): string {
    return join(this.content, relative);
  }

  override getAttr(name: string): Value | undefined {
    if (name !== "paths") return undefined;
    return makeBuiltin("paths", (_thread, args, kwargs) => {
      const { paths } = unpack("paths", args, kwargs, { paths: types.string });
      return fromJsString(this.path(paths));
    });
  }

  override attrNames(): string[] {
    return ["paths"];
  }
}
