/** The package's version: put in by the bundler (scripts/build.mjs). */
// biome-ignore lint/style/noProcessEnv: a constant of the build, no environment variable
export const VERSION: string = process.env.TILT_CI_VERSION ?? "0.0.0-dev";
