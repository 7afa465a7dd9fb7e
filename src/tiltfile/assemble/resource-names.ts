import type { Recorded } from "../recorded.ts";
import type { DraftResource } from "./draft-resource.ts";

/** The names that are taken, by what took them. */
export class ResourceNames {
  readonly #kubernetes = new Map<string, DraftResource>();
  readonly #locals: ReadonlySet<string>;
  readonly #compose: ReadonlySet<string>;

  constructor({ locals, compose }: Pick<Recorded, "locals" | "compose">) {
    this.#locals = new Set(locals.map(({ name }) => name));
    this.#compose = new Set(
      compose.projects.flatMap(({ services }) => services.map(({ name }) => name)),
    );
  }

  get(name: string): DraftResource | undefined {
    return this.#kubernetes.get(name);
  }

  /** Every Kubernetes resource, by its name. */
  get known(): string[] {
    return [...this.#kubernetes.keys()];
  }

  /** Why a name cannot be given to a Kubernetes resource, in Tilt's words. */
  conflict(name: string): string | undefined {
    const owner = this.#kubernetes.has(name)
      ? "k8s_resource"
      : this.#locals.has(name)
        ? "local_resource"
        : this.#compose.has(name)
          ? "dc_resource"
          : undefined;
    return owner === undefined ? undefined : `${owner} named "${name}" already exists`;
  }

  add(resource: DraftResource): void {
    this.#kubernetes.set(resource.name, resource);
  }

  rename(resource: DraftResource, name: string): void {
    this.#kubernetes.delete(resource.name);
    resource.name = name;
    this.#kubernetes.set(name, resource);
  }
}
