import type { RecordedLiveUpdateStep } from "../recorded.ts";
import { Opaque } from "./opaque.ts";

const GO_TYPE_NAMES: Readonly<Record<RecordedLiveUpdateStep["step"]["type"], string>> = {
  sync: "tiltfile.liveUpdateSyncStep",
  run: "tiltfile.liveUpdateRunStep",
  fall_back_on: "tiltfile.liveUpdateFallBackOnStep",
  restart_container: "tiltfile.liveUpdateRestartContainerStep",
  initial_sync: "tiltfile.liveUpdateInitialSyncStep",
};

/** What sync(), run() and the like return. */
export class LiveUpdateStepValue extends Opaque<RecordedLiveUpdateStep> {
  constructor(recorded: RecordedLiveUpdateStep) {
    super(recorded.typeName, GO_TYPE_NAMES[recorded.step.type], recorded.text, recorded);
  }

  override hash(): number {
    return this.content.text.length;
  }
}
