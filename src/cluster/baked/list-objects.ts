import { EnvironmentError } from "../../errors.ts";
import type { ApiClient } from "../api.ts";
import { type ClusterObject, type Listed, REMADE_RESOURCES } from "./bound-objects.ts";

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly verbs: readonly string[];
  }[];
}

interface GroupList {
  readonly groups?: readonly {
    readonly preferredVersion: { readonly groupVersion: string };
  }[];
}

interface ObjectList {
  readonly apiVersion: string;
  readonly kind: string;
  readonly items?: readonly ClusterObject[];
}

/** All objects of a cluster but those that are made anew anyway. Throws `EnvironmentError`. */
export async function listObjects(client: ApiClient): Promise<readonly Listed[]> {
  const get = async <T>(path: string): Promise<T> => {
    const { status, body } = await client.request("GET", path);
    if (status !== 200)
      throw new EnvironmentError(`Cannot read ${path} of the cluster: status ${status}`);
    return JSON.parse(body) as T;
  };
  const { groups = [] } = await get<GroupList>("/apis");
  const roots = [
    "/api/v1",
    ...groups.map((group) => `/apis/${group.preferredVersion.groupVersion}`),
  ];
  const listed: Listed[] = [];
  for (const root of roots) {
    const { resources = [] } = await get<ResourceList>(root);
    for (const { name, verbs } of resources) {
      if (!verbs.includes("list") || !verbs.includes("create") || REMADE_RESOURCES.has(name))
        continue;
      listed.push(...objectsOf(root, name, await get<ObjectList>(`${root}/${name}`)));
    }
  }
  return listed;
}

/** Items of a list name neither their kind nor their version. */
function objectsOf(root: string, resource: string, list: ObjectList): readonly Listed[] {
  return (list.items ?? []).map((item) => {
    const { namespace } = item.metadata as { namespace?: string };
    return {
      collection: namespace ? `${root}/namespaces/${namespace}/${resource}` : `${root}/${resource}`,
      object: { ...item, apiVersion: list.apiVersion, kind: list.kind.replace(/List$/, "") },
    };
  });
}
