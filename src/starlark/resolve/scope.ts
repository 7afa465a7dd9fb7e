import type { Binding, FunctionInfo, NameExpr } from "../syntax/ast.ts";

/** A mention of a name, to be bound when the block that holds it is complete. */
export interface Use {
  readonly name: NameExpr;
  readonly block: Block;
}

/** A region of the file with variables of its own: the file, a function or a comprehension. */
export class Block {
  readonly parent: Block | undefined;
  readonly fn: FunctionInfo | undefined;
  readonly bindings = new Map<string, Binding>();
  readonly children: Block[] = [];
  uses: Use[] = [];

  constructor(parent: Block | undefined, fn: FunctionInfo | undefined) {
    this.parent = parent;
    this.fn = fn;
    parent?.children.push(this);
  }

  /** The function, or the file, that this block is part of. */
  get container(): Block {
    let block: Block = this;
    while (block.fn === undefined && block.parent !== undefined) block = block.parent;
    return block;
  }

  /** The variable of that name within the innermost function. */
  lookupLocal(name: string): Binding | undefined {
    for (let block: Block | undefined = this; block !== undefined; block = block.parent) {
      const binding = block.bindings.get(name);
      if (binding !== undefined) return binding;
      if (block.fn !== undefined) return undefined;
    }
    return undefined;
  }

  /** Binds the uses that are of this function's own variables; the others wait for the enclosing blocks. */
  resolveLocalUses(): void {
    this.uses = this.uses.filter(({ name, block }) => {
      const binding = block.lookupLocal(name.name);
      if (binding === undefined || (binding.scope !== "local" && binding.scope !== "cell"))
        return true;
      name.binding = binding;
      return false;
    });
  }
}
