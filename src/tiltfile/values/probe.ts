import type { Probe } from "../../model/plan.ts";
import { StarlarkStruct, type Value } from "../../starlark/index.ts";

type Fields = Readonly<Record<string, Value>>;

/** What exec_action(), http_get_action() and tcp_socket_action() return. */
export class ProbeActionValue extends StarlarkStruct {
  readonly action: Probe["action"];
  readonly #typeName: string;

  constructor(typeName: string, fields: Fields, action: Probe["action"]) {
    super(typeName, fields);
    this.#typeName = typeName;
    this.action = action;
  }

  override get typeName(): string {
    return this.#typeName;
  }

  override get goTypeName(): string {
    return `probe.${this.#typeName}`;
  }
}

/** What probe() returns. */
export class ProbeValue extends StarlarkStruct {
  readonly probe: Probe;

  constructor(fields: Fields, probe: Probe) {
    super("Probe", fields);
    this.probe = probe;
  }

  override get typeName(): string {
    return "Probe";
  }

  override get goTypeName(): string {
    return "probe.Probe";
  }
}
