import type { Needs } from "./needs.ts";

export const SYSTEMS = ["github", "gitlab", "buildkite", "jenkins", "circleci"] as const;
export type System = (typeof SYSTEMS)[number];

/** A pipeline definition for one CI system. */
export interface Pipeline {
  /** Relative to the top of the repository. */
  readonly path: string;
  readonly text: string;
}

export interface PipelineOptions {
  /** The Tiltfile, relative to the top of the repository, with `/`. */
  readonly tiltfile: string;
  readonly needs: Needs;
  /** Pushes to it are tested, beside all pull requests. */
  readonly branch: string;
}

/** kind as the Action brings it (src/action/tools/catalogue.ts). */
export const KIND_VERSION = "0.33.0";
const KIND_URL = `https://github.com/kubernetes-sigs/kind/releases/download/v${KIND_VERSION}`;

/** The pipeline that takes a Tiltfile to a verdict: the whole of a file that can be committed as it is. */
export function pipelineFor(system: System, options: PipelineOptions): Pipeline {
  return PIPELINES[system](options);
}

const PIPELINES: Readonly<Record<System, (options: PipelineOptions) => Pipeline>> = {
  github,
  gitlab,
  buildkite,
  jenkins,
  circleci,
};

function github({ tiltfile, needs, branch }: PipelineOptions): Pipeline {
  const inputs = [
    ...(tiltfile === "Tiltfile" ? [] : [`tiltfile: ${yamlText(tiltfile)}`]),
    ...(needs.cluster ? [] : ["cluster: none"]),
  ];
  return {
    path: ".github/workflows/tilt-ci.yml",
    text: lines(
      "# Takes the Tiltfile to a verdict. Written by tilt-ci init; yours to change.",
      "name: tilt-ci",
      "",
      "on:",
      "  push:",
      `    branches: [${yamlText(branch)}]`,
      "  pull_request:",
      "",
      "permissions:",
      "  contents: read",
      "",
      "jobs:",
      "  stack:",
      "    runs-on: ubuntu-latest",
      "    timeout-minutes: 40",
      "    steps:",
      "      - uses: actions/checkout@v5",
      ...(needs.submodules ? ["        with:", "          submodules: true"] : []),
      "      - uses: tilt-ci/tilt-ci@v0",
      ...(inputs.length > 0
        ? ["        with:", ...inputs.map((input) => `          ${input}`)]
        : []),
      ...(needs.cluster
        ? [
            "      # The cluster stays up for further steps (KUBECONFIG is set) and goes when the job ends:",
            "      # - run: npm run test:e2e",
          ]
        : []),
      "      - uses: actions/upload-artifact@v5",
      '        if: "!cancelled()"',
      "        with:",
      "          name: tilt-ci-report",
      "          path: tilt-ci-report/",
    ),
  };
}

function gitlab({ tiltfile, needs }: PipelineOptions): Pipeline {
  return {
    path: ".gitlab-ci.yml",
    text: lines(
      "# Takes the Tiltfile to a verdict. Written by tilt-ci init; yours to change.",
      ...machineNote("The runner is", needs),
      "tilt-ci:",
      "  stage: test",
      "  timeout: 40m",
      ...(needs.submodules ? ["  variables:", "    GIT_SUBMODULE_STRATEGY: recursive"] : []),
      "  before_script:",
      ...installSteps(needs).map((step) => `    - ${step}`),
      "  script:",
      "    # exec: a cancelled job's signal reaches tilt-ci itself",
      `    - ${yamlText(`exec ${command(tiltfile, needs)}`)}`,
      "  after_script:",
      "    - $HOME/.local/bin/tilt-ci down   # what a killed run has left",
      "  artifacts:",
      "    when: always",
      "    paths: [tilt-ci-report/]",
      "    reports:",
      "      junit: tilt-ci-report/junit.xml",
    ),
  };
}

function buildkite({ tiltfile, needs }: PipelineOptions): Pipeline {
  return {
    path: ".buildkite/pipeline.yml",
    text: lines(
      "# Takes the Tiltfile to a verdict. Written by tilt-ci init; yours to change.",
      ...machineNote("The agent runs on", needs),
      "steps:",
      '  - label: ":kubernetes: tilt-ci"',
      "    timeout_in_minutes: 40",
      "    command: |",
      // Buildkite itself would replace a single dollar
      ...installSteps(needs).map((step) => `      ${step.replaceAll("$", "$$$$")}`),
      "      # exec: a cancelled job's signal reaches tilt-ci itself",
      `      exec ${command(tiltfile, needs).replaceAll("$", "$$$$")}`,
      "    # JUnit for a test analytics plugin is tilt-ci-report/junit.xml",
      '    artifact_paths: "tilt-ci-report/**/*"',
    ),
  };
}

function jenkins({ tiltfile, needs }: PipelineOptions): Pipeline {
  return {
    path: "Jenkinsfile",
    text: lines(
      "// Takes the Tiltfile to a verdict. Written by tilt-ci init; yours to change.",
      ...machineNote("The agent is", needs, "//"),
      "pipeline {",
      "  agent { label 'docker' }",
      "  options { timeout(time: 40, unit: 'MINUTES') }",
      "  stages {",
      "    stage('tilt-ci') {",
      "      steps {",
      ...(needs.submodules ? ["        sh 'git submodule update --init --recursive'"] : []),
      "        sh '''",
      ...installSteps(needs).map((step) => `          ${step}`),
      "          # exec: an aborted build's signal reaches tilt-ci itself",
      `          exec ${command(tiltfile, needs).replaceAll("\\", "\\\\")} --junit-prefix tilt`, // Groovy's own escapes
      "        '''",
      "      }",
      "    }",
      "  }",
      "  post {",
      "    always {",
      "      sh '$HOME/.local/bin/tilt-ci down' // what a killed run has left",
      "      junit testResults: 'tilt-ci-report/junit.xml', allowEmptyResults: true",
      "      archiveArtifacts artifacts: 'tilt-ci-report/**', allowEmptyArchive: true",
      "    }",
      "  }",
      "}",
    ),
  };
}

function circleci({ tiltfile, needs }: PipelineOptions): Pipeline {
  return {
    path: ".circleci/config.yml",
    text: lines(
      "# Takes the Tiltfile to a verdict. Written by tilt-ci init; yours to change.",
      "version: 2.1",
      "jobs:",
      "  tilt-ci:",
      "    # a virtual machine with Docker and Node.js: containers of the docker executor cannot hold a cluster",
      "    machine: { image: ubuntu-2404:current }",
      "    steps:",
      "      - checkout",
      ...(needs.submodules ? ["      - run: git submodule update --init --recursive"] : []),
      "      - run:",
      "          name: Install",
      "          command: |",
      ...installSteps(needs)
        .slice(0, -1)
        .map((step) => `            ${step}`),
      "            echo 'export PATH=$HOME/.local/bin:$PATH' >>\"$BASH_ENV\"",
      "      - run:",
      "          name: tilt-ci",
      "          # exec: a cancelled job's signal reaches tilt-ci itself",
      `          command: ${yamlText(`exec ${command(tiltfile, needs)}`)}`,
      "          no_output_timeout: 40m",
      "      - store_test_results: { path: tilt-ci-report/junit.xml }",
      "      - store_artifacts: { path: tilt-ci-report }",
      "workflows:",
      "  main: { jobs: [tilt-ci] }",
    ),
  };
}

function command(tiltfile: string, { cluster }: Needs): string {
  const words = [
    ...["tilt-ci", "ci"],
    ...(tiltfile === "Tiltfile" ? [] : ["--file", shellWord(tiltfile)]),
    ...(cluster ? [] : ["--cluster", "none"]),
  ];
  return words.join(" ");
}

/** Shell lines that install tilt-ci for this user, and kind from its publisher if its checksum is right. */
function installSteps({ cluster }: Needs): string[] {
  const file = "kind-linux-amd64";
  const kind = [
    `curl -fsSL --remote-name-all ${KIND_URL}/${file} ${KIND_URL}/${file}.sha256sum`,
    `sha256sum --check ${file}.sha256sum`,
    `install -D ${file} $HOME/.local/bin/kind && rm ${file} ${file}.sha256sum`,
  ];
  return [
    "npm install --global --prefix $HOME/.local tilt-ci@0",
    ...(cluster ? kind : []),
    "export PATH=$HOME/.local/bin:$PATH",
  ];
}

function machineNote(subject: string, { compose, tools }: Needs, mark = "#"): string[] {
  const others = [...(compose ? ["the Compose plugin"] : []), ...tools];
  const parts = ["Node.js 20.19 or later", "a Docker engine", ...others];
  const list = `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
  return [`${mark} ${subject} a Linux machine (not a container) with ${list}.`];
}

function lines(...parts: readonly string[]): string {
  return `${parts.join("\n")}\n`;
}

function yamlText(text: string): string {
  return /^[\w./][\w./ -]*$/.test(text) ? text : JSON.stringify(text);
}

function shellWord(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
