import type { ApiObject, Pod } from "../api/api-object.ts";

/** All objects that the watches know, by UID and by owner. */
export class ObjectStore {
  readonly #objects = new Map<string, ApiObject>();
  readonly #children = new Map<string, Set<string>>();

  get(uid: string): ApiObject | undefined {
    return this.#objects.get(uid);
  }

  values(): Iterable<ApiObject> {
    return this.#objects.values();
  }

  put(object: ApiObject): void {
    const before = this.#objects.get(object.metadata.uid);
    if (before !== undefined) this.#unlink(before);
    this.#objects.set(object.metadata.uid, object);
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      const children = this.#children.get(uid);
      if (children === undefined) this.#children.set(uid, new Set([object.metadata.uid]));
      else children.add(object.metadata.uid);
    }
  }

  delete(uid: string): void {
    const object = this.#objects.get(uid);
    if (object === undefined) return;
    this.#unlink(object);
    this.#objects.delete(uid);
  }

  /** The UIDs of an object and of all that own it, directly or not. */
  ancestry(object: ApiObject): Set<string> {
    const found = new Set<string>([object.metadata.uid]);
    const visit = (one: ApiObject | undefined) => {
      for (const { uid } of one?.metadata.ownerReferences ?? []) {
        if (found.has(uid)) continue;
        found.add(uid);
        visit(this.#objects.get(uid));
      }
    };
    visit(object);
    return found;
  }

  /** The objects that name this one as an owner. */
  childrenOf(uid: string): ApiObject[] {
    return [...(this.#children.get(uid) ?? [])].flatMap((child) => this.#objects.get(child) ?? []);
  }

  /** The pods below an object, or the object itself if it is one; `follow` decides which children are looked into. */
  podsBelow(uid: string, follow: (child: ApiObject) => boolean = () => true): Pod[] {
    const pods: Pod[] = [];
    const seen = new Set<string>();
    const visit = (object: ApiObject | undefined, id: string) => {
      if (seen.has(id)) return;
      seen.add(id);
      if (object?.kind === "Pod") pods.push(object as Pod);
      else
        for (const child of this.childrenOf(id))
          if (follow(child)) visit(child, child.metadata.uid);
    };
    visit(this.#objects.get(uid), uid);
    return pods;
  }

  #unlink({ metadata }: ApiObject): void {
    for (const { uid } of metadata.ownerReferences ?? []) {
      const children = this.#children.get(uid);
      children?.delete(metadata.uid);
      if (children?.size === 0) this.#children.delete(uid);
    }
  }
}
