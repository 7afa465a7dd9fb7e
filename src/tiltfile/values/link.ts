import type { Link } from "../../model/plan.ts";
import { fromJsString, StarlarkStruct } from "../../starlark/index.ts";

/** What link() returns. */
export class LinkValue extends StarlarkStruct {
  readonly link: Link;

  constructor(link: Link) {
    super("link", { url: fromJsString(link.url), name: fromJsString(link.name ?? "") });
    this.link = link;
  }

  override get goTypeName(): string {
    return "links.Link";
  }
}
