import {
  chooseClusterName,
  createRunId,
  openRecord,
  RUN_VARIABLE,
  startKindCluster,
  startRegistry,
} from "../../src/cluster/index.ts";
import { createHost } from "../../src/host/node-host.ts";

/**
 * A program to be killed: brings a cluster up and waits. Arguments: state directory, kubeconfig, node image.
 * Prints the run's id first.
 */
const [stateDir = "", kubeconfig = "", nodeImage = ""] = process.argv.slice(2);
const run = createRunId();
const host = createHost({ env: { ...process.env, [RUN_VARIABLE]: run }, cwd: process.cwd() });
const record = await openRecord(stateDir, run, host);
console.log(run);
const { name } = await chooseClusterName(undefined, run, host);
const registry = startRegistry({ record, clusterName: name }, host);
const cluster = startKindCluster({ record, name, kubeconfig, nodeImage, registry }, host);
await cluster.settled;
console.log("settled");
setInterval(() => {}, 1000);
