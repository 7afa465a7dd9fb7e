import { expect, test } from "vitest";
import { UsageError } from "../../../src/errors.ts";
import { checkPlan } from "../../../src/run/check-plan.ts";
import { describeTiltfileError } from "../../../src/run/tiltfile-failure.ts";
import { k8s, local, planOf } from "../engine/scenario.ts";

test("checkPlan() refuses a plan without resources, and one that needs a cluster where there is none", () => {
  expect(() => checkPlan(planOf([]), true)).toThrow("No resources found");
  expect(() => checkPlan(planOf([k8s("app")]), false)).toThrow(
    "deploys app to Kubernetes, and --cluster none",
  );
  checkPlan(planOf([k8s("app")]), true);
  checkPlan(planOf([local("lint"), k8s("off", { enabled: false })]), false);
});

test("describeTiltfileError() calls a plan that cannot be carried out the Tiltfile's failure", () => {
  expect(describeTiltfileError(new UsageError("No resources found"))).toEqual({
    status: "failed",
    failure: { code: "TiltfileError", message: "No resources found" },
  });
});
