import { type Command, Help, Option } from "commander";

const rareOptions = new WeakSet<Option>();

/** Marks a flag that few need: `--help` leaves it out, `--help-all` and docs/cli.md have it. */
export function rare(option: Option): Option {
  rareOptions.add(option);
  return option;
}

/** A flag's default as people write it: `30m`, not milliseconds. Switches have none. */
export function defaultText({ defaultValue, defaultValueDescription }: Option): string | undefined {
  if (defaultValueDescription !== undefined) return defaultValueDescription;
  return typeof defaultValue === "string" ? defaultValue : undefined;
}

/** The wording of flags in help and docs: the description names the choices already. */
export function describeOption(option: Option): string {
  return withNotes(option, option.envVar ? [`env: ${option.envVar}`] : []);
}

function withNotes(option: Option, more: readonly string[]): string {
  const preset = defaultText(option);
  const notes = [...(preset === undefined ? [] : [`default: ${preset}`]), ...more];
  return notes.length > 0 ? `${option.description} (${notes.join(", ")})` : option.description;
}

/**
 * Keeps `--help` on a screen of 24 lines and 80 columns: of a command with rare flags it lists the others, without
 * headings; `--help-all` has all of them.
 */
export function shortenHelp(command: Command): void {
  if (!command.options.some((option) => rareOptions.has(option))) return;
  let all = false;
  const whole = new Help();
  command
    .addOption(new Option("--help-all", "all flags"))
    .configureHelp({
      ...command.configureHelp(),
      visibleOptions: (shown) =>
        whole.visibleOptions(shown).filter((option) => all || !rareOptions.has(option)),
      groupItems: (items, visible, groupOf) =>
        whole.groupItems(items, visible, all ? groupOf : () => "Options:"),
      optionDescription: (option) => (all ? describeOption(option) : withNotes(option, [])),
    })
    .on("option:help-all", () => {
      all = true;
      command.help();
    });
}
