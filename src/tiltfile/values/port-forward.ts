import type { PortForward } from "../../model/plan.ts";
import { goQuote } from "../go/quote.ts";
import { Opaque } from "./opaque.ts";

/** What port_forward() returns. */
export class PortForwardValue extends Opaque<PortForward> {
  constructor(forward: PortForward) {
    const { localPort, containerPort, name } = forward;
    super(
      "port_forward",
      "tiltfile.portForward",
      `port_forward(local_port=${localPort}, container_port=${containerPort}, name=${goQuote(name ?? "")})`,
      forward,
    );
  }

  override truth(): boolean {
    const { localPort, containerPort, host, name, linkPath } = this.content;
    return localPort !== 0 || containerPort !== 0 || Boolean(host || name || linkPath);
  }
}
