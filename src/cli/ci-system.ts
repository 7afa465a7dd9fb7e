type Env = Readonly<Record<string, string | undefined>>;

/** The CI systems whose presentation we know, and what names the folder that each has checked the project out to. */
const SYSTEMS: readonly (readonly [name: string, variable: string, checkout: string])[] = [
  ["github", "GITHUB_ACTIONS", "GITHUB_WORKSPACE"],
  ["gitlab", "GITLAB_CI", "CI_PROJECT_DIR"],
  ["buildkite", "BUILDKITE", "BUILDKITE_BUILD_CHECKOUT_PATH"],
  ["circleci", "CIRCLECI", "CIRCLE_WORKING_DIRECTORY"],
  ["azure", "TF_BUILD", "BUILD_SOURCESDIRECTORY"],
  ["jenkins", "JENKINS_URL", "WORKSPACE"],
];

/** Which CI system we run in: changes how things are shown, never what is done. */
export function detectCi(env: Env): string | undefined {
  return systemOf(env)?.[0] ?? (env.CI === "true" || env.CI === "1" ? "generic" : undefined);
}

/** Where the CI system has checked the project out, as far as it says so by an absolute path. */
export function checkoutOf(env: Env): string | undefined {
  const path = env[systemOf(env)?.[2] ?? ""];
  return path?.startsWith("/") ? path : undefined;
}

function systemOf(env: Env): (typeof SYSTEMS)[number] | undefined {
  return SYSTEMS.find(([, variable]) => env[variable]);
}
