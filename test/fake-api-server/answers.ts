import type { ServerResponse } from "node:http";
import { merge, type ObjectTable, pluralOf, type TestObject } from "./object-table.ts";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A refusal: what the server says instead of doing it. */
export interface Refusal {
  readonly code: number;
  readonly reason?: string;
  readonly message: string;
  readonly retryAfterSecs?: number;
  readonly causes?: readonly { readonly field?: string; readonly message: string }[];
}

/** What a path means. */
export interface Target {
  readonly collection: string;
  readonly apiVersion: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/** Answers a request about objects. */
export function answer(
  table: ObjectTable,
  seen: SeenRequest,
  target: Target,
  admit: (object: TestObject) => TestObject,
  response: ServerResponse,
): void {
  const { collection, namespace, name } = target;
  if (["PATCH", "PUT", "POST"].includes(seen.method)) {
    write(table, seen, target, admit, response);
  } else if (name === undefined) {
    sendList(table, seen, target, response);
  } else {
    const object = table.get(collection, namespace, name);
    if (object === undefined) sendRefusal(response, notFound(target));
    else if (seen.method === "DELETE") {
      table.remove(collection, namespace, name);
      sendJson(response, 200, { kind: "Status", status: "Success" });
    } else sendJson(response, 200, object);
  }
}

function sendList(
  table: ObjectTable,
  { query }: SeenRequest,
  target: Target,
  response: ServerResponse,
): void {
  const name = /^metadata\.name=(.*)$/.exec(query.fieldSelector ?? "")?.[1];
  const all = table
    .list(target.collection, target.namespace)
    .filter(({ metadata }) => name === undefined || metadata.name === name);
  const start = Number(query.continue ?? 0);
  const limit = Number(query.limit ?? 0) || all.length;
  const next = start + limit < all.length ? String(start + limit) : undefined;
  // As real servers do, items go without their kind.
  const items = all.slice(start, start + limit).map(({ kind: _, apiVersion: __, ...item }) => item);
  const metadata = { resourceVersion: String(table.version), continue: next };
  sendJson(response, 200, { kind: "List", apiVersion: target.apiVersion, metadata, items });
}

function write(
  table: ObjectTable,
  { method, body, query }: SeenRequest,
  target: Target,
  admit: (object: TestObject) => TestObject,
  response: ServerResponse,
): void {
  const object = body as TestObject;
  const name = target.name ?? object.metadata.name;
  const before = table.get(target.collection, target.namespace, name);
  if (method === "POST" && before !== undefined) {
    const message = `${target.collection.split(" ")[1]} "${name}" already exists`;
    sendRefusal(response, { code: 409, reason: "AlreadyExists", message });
    return;
  }
  const namespace = target.namespace === undefined ? {} : { namespace: target.namespace };
  const next = admit({ ...object, metadata: { ...object.metadata, ...namespace, name } });
  const merged = (method === "PATCH" && before ? merge(before, next) : next) as TestObject;
  const stored = query.dryRun === "All" ? merged : table.put(target.collection, merged);
  sendJson(response, before === undefined ? 201 : 200, stored);
}

/** The kinds of a group version: those of the definitions that are established. */
export function sendKinds(table: ObjectTable, path: string, response: ServerResponse): void {
  const apiVersion = path.replace(/^\/apis?\//, "");
  const definitions = table.list("apiextensions.k8s.io/v1 customresourcedefinitions", undefined);
  const resources = definitions.flatMap(({ spec, status }) => {
    const { group, names, scope, versions } = spec as {
      group: string;
      scope: string;
      names: { kind: string };
      versions: { name: string }[];
    };
    const { conditions = [] } = (status ?? {}) as {
      conditions?: { type: string; status: string }[];
    };
    const established = conditions.some(
      (one) => one.type === "Established" && one.status === "True",
    );
    const served = versions.some((version) => `${group}/${version.name}` === apiVersion);
    return established && served
      ? [{ name: pluralOf(names.kind), kind: names.kind, namespaced: scope === "Namespaced" }]
      : [];
  });
  if (resources.length === 0) sendRefusal(response, { code: 404, message: "404 page not found" });
  else sendJson(response, 200, { kind: "APIResourceList", groupVersion: apiVersion, resources });
}

/** `/apis/apps/v1/namespaces/default/deployments/web` and its like; undefined for what is no collection. */
export function parsePath(path: string): Target | undefined {
  const match =
    /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))(?:\/namespaces\/([^/]+)(?=\/))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(
      path,
    );
  if (match === null) return undefined;
  const [, core, group, namespace, plural, name, subresource] = match;
  const apiVersion = core ?? group!;
  return { collection: `${apiVersion} ${plural}`, apiVersion, namespace, name, subresource };
}

function notFound({ collection, name }: Target): Refusal {
  const message = `${collection.split(" ")[1]} "${name}" not found`;
  return { code: 404, reason: "NotFound", message };
}

/** Answers with a `Status`. */
export function sendRefusal(response: ServerResponse, refusal: Refusal): void {
  const { code, reason = "", message, retryAfterSecs, causes } = refusal;
  const details = causes === undefined ? {} : { details: { causes } };
  if (retryAfterSecs !== undefined) response.setHeader("retry-after", String(retryAfterSecs));
  sendJson(response, code, {
    kind: "Status",
    status: "Failure",
    code,
    reason,
    message,
    ...details,
  });
}

function sendJson(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
