// Rooms are folders of src/, and these are the doors between them (docs/decisions/0001). `npm run ok` checks them.

// Rooms that do one thing each, and meet only where a run is put together.
const workRooms = "cluster|compose|doctor|engine|images|kubernetes|local|node|report|tiltfile";
// What every room may know: data, texts as data, the outside as an interface, the two kinds of bad news.
const sharedGround =
  "^src/(model|manifests)/|^src/host/[^/]+\\.ts$|^src/(errors|version|run-options)\\.ts$";

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      comment:
        "A cycle is two modules that are one. (Types may refer to each other: they are gone at run time.)",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "starlark-stands-alone",
      comment:
        "The language knows nothing of Tilt, of Node, or of this project: it could ship alone.",
      severity: "error",
      from: { path: "^src/starlark/" },
      to: { pathNot: "^src/starlark/" },
    },
    {
      name: "starlark-reads-leftwards",
      comment: "values <- syntax <- resolve <- eval <- universe",
      severity: "error",
      from: { path: "^src/starlark/(values|syntax)/" },
      to: { path: "^src/starlark/(resolve|universe)/" },
    },
    {
      name: "starlark-resolves-before-it-runs",
      comment: "A program is resolved without being run.",
      severity: "error",
      from: { path: "^src/starlark/(syntax|resolve)/" },
      to: { path: "^src/starlark/(eval|universe)/" },
    },
    {
      name: "starlark-has-one-door",
      comment:
        "Only src/starlark/index.ts is for others, and only Tiltfiles and the `starlark` command need it.",
      severity: "error",
      from: { pathNot: "^src/starlark/" },
      to: { path: "^src/starlark/", pathNot: "^src/starlark/index\\.ts$" },
    },
    {
      name: "starlark-is-for-tiltfiles",
      comment:
        "The rest of the program speaks of plans, not of the language that they were written in.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(starlark|tiltfile|cli)/|^src/cli\\.ts$" },
      to: { path: "^src/starlark/" },
    },
    {
      name: "rooms-do-not-meet",
      comment: "Rooms meet in src/run, src/cli and src/action: so a change stays in its room.",
      severity: "error",
      from: { path: `^src/(${workRooms})/` },
      to: {
        path: "^src/",
        pathNot: [`^src/$1/`, sharedGround, "^src/starlark/"],
      },
    },
    {
      name: "model-has-no-opinions",
      comment: "Data imports nothing but data.",
      severity: "error",
      from: { path: "^src/model/" },
      to: { pathNot: "^src/model/" },
    },
    {
      name: "manifests-are-texts",
      comment:
        "YAML, JSON, Dockerfiles and image references as data: no commands, no API, no files.",
      severity: "error",
      from: { path: "^src/manifests/" },
      to: {
        path: "^src/|^(node:)?(fs|child_process|net|http)",
        pathNot: "^src/(model|manifests)/|^src/errors\\.ts$",
      },
    },
    {
      name: "host-serves-everyone",
      comment: "What stands for the outside knows nothing of what uses it.",
      severity: "error",
      from: { path: "^src/host/" },
      to: { path: "^src/", pathNot: "^src/(host|model)/|^src/errors\\.ts$" },
    },
    {
      name: "rooms-get-their-host",
      comment: "A room takes a Host as an argument; only the program's doors make a real one.",
      severity: "error",
      from: { path: `^src/(${workRooms}|run)/` },
      to: { path: "^src/host/(node-host|process)\\.ts$" },
    },
    {
      name: "run-is-not-a-program",
      comment: "A run knows no flags, no terminal and no CI system.",
      severity: "error",
      from: { path: "^src/run/" },
      to: { path: "^src/(cli|action)/" },
    },
    {
      name: "cli-is-not-an-action",
      severity: "error",
      comment: "The Action calls the command line, never the other way round.",
      from: { path: "^src/cli/" },
      to: { path: "^src/action/" },
    },
    {
      name: "processes-start-in-host",
      comment:
        "One door to other programs: process groups, signals and output limits are decided once.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/host/" },
      to: { path: "^(node:)?child_process$|node_modules/execa/" },
    },
    {
      name: "kubernetes-client-in-its-room",
      comment: "One door to the API.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/kubernetes/" },
      to: { path: "node_modules/@kubernetes/" },
    },
    {
      name: "actions-toolkit-in-its-room",
      comment: "One door to GitHub's runner.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/action/" },
      to: { path: "node_modules/@actions/" },
    },
    {
      name: "flags-in-cli",
      comment: "Arguments become options at the door.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/cli(/|\\.ts$)" },
      to: { path: "node_modules/commander/" },
    },
    {
      name: "no-tests-in-the-program",
      severity: "error",
      comment: "What ships does not need what does not.",
      from: { path: "^src/" },
      to: { path: "^(test|scripts)/" },
    },
    {
      name: "no-development-packages-in-the-program",
      severity: "error",
      comment: "A package that src/ uses is a dependency.",
      from: { path: "^src/" },
      to: {
        dependencyTypes: ["npm-dev"],
        dependencyTypesNot: ["type-only", "type-import"],
        pathNot: "node_modules/@types/",
      },
    },
    {
      name: "everything-resolves",
      severity: "error",
      comment:
        "An import of something that is not there. (src/cli.ts is a small door to the other bundles in dist/.)",
      from: { pathNot: "^src/cli\\.ts$" },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
    },
  },
};
