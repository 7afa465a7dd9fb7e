import { fromJsString, HostValue, type StarlarkString, type Value } from "../../starlark/index.ts";
import type { WorkloadId } from "../recorded.ts";

/** What a workload_to_resource_function is called with. */
export class K8sObjectId extends HostValue {
  readonly typeName = "K8sObjectID";
  readonly id: WorkloadId;

  constructor(id: WorkloadId) {
    super();
    this.id = id;
  }

  override repr(): StarlarkString {
    const { name, kind, namespace, group } = this.id;
    return fromJsString([name, kind, namespace, group].join(":").toLowerCase());
  }

  override getAttr(name: string): Value | undefined {
    return Object.hasOwn(this.id, name)
      ? fromJsString(this.id[name as keyof WorkloadId])
      : undefined;
  }

  override noSuchAttr(name: string): string {
    return `tiltfile.k8sObjectID has no attribute '${name}'`;
  }

  override attrNames(): string[] {
    return ["name", "kind", "namespace", "group"];
  }

  override truth(): boolean {
    return Object.values(this.id).some((part) => part !== "");
  }

  override equals(other: Value): boolean {
    return other instanceof K8sObjectId && other.repr() === this.repr();
  }

  override get goTypeName(): string {
    return "tiltfile.k8sObjectID";
  }
}
