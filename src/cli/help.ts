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
  const preset = defaultText(option);
  const notes = [
    ...(preset === undefined ? [] : [`default: ${preset}`]),
    ...(option.envVar ? [`env: ${option.envVar}`] : []),
  ];
  return notes.length > 0 ? `${option.description} (${notes.join(", ")})` : option.description;
}

/** Keeps `--help` on one screen: a command with rare flags gets `--help-all`. */
export function shortenHelp(command: Command): void {
  if (!command.options.some((option) => rareOptions.has(option))) return;
  let all = false;
  command
    .addOption(new Option("--help-all", "also the flags that few need"))
    .configureHelp({
      ...command.configureHelp(),
      visibleOptions: (shown) =>
        new Help().visibleOptions(shown).filter((option) => all || !rareOptions.has(option)),
    })
    .on("option:help-all", () => {
      all = true;
      command.help();
    });
}
