/*
 * The types of Tilt's v1alpha1 API as Tiltfiles may build them (tiltfile-api.md §8): a table, since Tilt generates the
 * functions for them as well. Order is that of the positional parameters.
 */

/** What a field of a value takes. */
export type FieldType =
  | { readonly type: "string" | "bool" | "int" | "strings" | "path" | "stringMap" | "time" }
  | { readonly type: "object" | "list"; readonly of: ValueTypeName };

export type Fields = Readonly<Record<string, FieldType>>;

const STRING = { type: "string" } as const;
const BOOL = { type: "bool" } as const;
const INT = { type: "int" } as const;
const STRINGS = { type: "strings" } as const;
const PATH = { type: "path" } as const;
const STRING_MAP = { type: "stringMap" } as const;
const TIME = { type: "time" } as const;

function object<N extends string>(of: N): { type: "object"; of: N } {
  return { type: "object", of };
}

function list<N extends string>(of: N): { type: "list"; of: N } {
  return { type: "list", of };
}

/** The constructors of values. A plain dict with the same keys is taken for one. */
export const VALUE_TYPES = {
  config_map_disable_source: { name: STRING, key: STRING },
  disable_source: {
    config_map: object("config_map_disable_source"),
    every_config_map: list("config_map_disable_source"),
  },
  exec_action: { command: STRINGS },
  forward: { local_port: INT, container_port: INT, host: STRING, name: STRING, path: STRING },
  handler: {
    exec: object("exec_action"),
    http_get: object("http_get_action"),
    tcp_socket: object("tcp_socket_action"),
  },
  http_get_action: {
    path: STRING,
    port: INT,
    host: STRING,
    scheme: STRING,
    http_headers: list("http_header"),
  },
  http_header: { name: STRING, value: STRING },
  ignore_def: { base_path: PATH, patterns: STRINGS },
  kubernetes_apply_cmd: { args: STRINGS, dir: PATH, env: STRINGS },
  kubernetes_discovery_template_spec: { extra_selectors: list("label_selector") },
  kubernetes_image_locator: {
    object_selector: object("object_selector"),
    path: STRING,
    object: object("kubernetes_image_object_descriptor"),
  },
  kubernetes_image_object_descriptor: { repo_field: STRING, tag_field: STRING },
  kubernetes_watch_ref: { uid: STRING, namespace: STRING, name: STRING },
  label_selector: {
    match_labels: STRING_MAP,
    match_expressions: list("label_selector_requirement"),
  },
  label_selector_requirement: { key: STRING, operator: STRING, values: STRINGS },
  object_selector: {
    api_version_regexp: STRING,
    kind_regexp: STRING,
    name_regexp: STRING,
    namespace_regexp: STRING,
  },
  pod_log_stream_template_spec: {
    since_time: TIME,
    only_containers: STRINGS,
    ignore_containers: STRINGS,
  },
  port_forward_template_spec: { forwards: list("forward") },
  // The action comes from a plain dict only: the constructor's `handler` is refused, as in Tilt.
  probe: {
    exec: object("exec_action"),
    http_get: object("http_get_action"),
    tcp_socket: object("tcp_socket_action"),
    initial_delay_seconds: INT,
    timeout_seconds: INT,
    period_seconds: INT,
    success_threshold: INT,
    failure_threshold: INT,
  },
  restart_on_spec: { file_watches: STRINGS, ui_buttons: STRINGS },
  // `start_after` can be passed to the constructor and is refused, as in Tilt.
  start_on_spec: { ui_buttons: STRINGS },
  tcp_socket_action: { port: INT, host: STRING },
  ui_bool_input_spec: { default_value: BOOL, true_string: STRING, false_string: STRING },
  ui_choice_input_spec: { choices: STRINGS },
  ui_component_location: { component_id: STRING, component_type: STRING },
  ui_hidden_input_spec: { value: STRING },
  ui_input_spec: {
    name: STRING,
    label: STRING,
    text: object("ui_text_input_spec"),
    bool: object("ui_bool_input_spec"),
    hidden: object("ui_hidden_input_spec"),
    choice: object("ui_choice_input_spec"),
  },
  ui_text_input_spec: { default_value: STRING, placeholder: STRING },
} as const satisfies Record<string, Record<string, LooseFieldType>>;

type LooseFieldType = { readonly type: FieldType["type"]; readonly of?: string };

export type ValueTypeName = keyof typeof VALUE_TYPES;

/** The fields of a value type. */
export function fieldsOf(name: ValueTypeName): Fields {
  return VALUE_TYPES[name];
}

/** Parameters of the constructors that are not the fields: Tilt's generator lists some that unpacking refuses. */
export const CONSTRUCTOR_PARAMETERS: Readonly<Partial<Record<ValueTypeName, readonly string[]>>> = {
  probe: [
    "handler",
    "initial_delay_seconds",
    "timeout_seconds",
    "period_seconds",
    "success_threshold",
    "failure_threshold",
  ],
  start_on_spec: ["start_after", "ui_buttons"],
};

/** What an argument of a registering function takes. */
export type ArgumentType =
  | FieldType
  | { readonly type: "paths" | "duration" | "strictString" | "strictBool" };

const STRICT_STRING = { type: "strictString" } as const;
const STRICT_BOOL = { type: "strictBool" } as const;
const PATHS = { type: "paths" } as const;
const DURATION = { type: "duration" } as const;

/** A kind of object that a Tiltfile can register; `resource` is its plural in messages. */
export interface ObjectType {
  readonly resource: string;
  readonly arguments: Readonly<Record<string, ArgumentType>>;
}

/** The functions that register objects. All take `name`, `labels` and `annotations` first. */
export const OBJECT_TYPES = {
  cmd: {
    resource: "cmds",
    arguments: {
      args: STRINGS,
      dir: PATH,
      env: STRINGS,
      readiness_probe: object("probe"),
      restart_on: object("restart_on_spec"),
      start_on: object("start_on_spec"),
      disable_source: object("disable_source"),
    },
  },
  config_map: { resource: "configmaps", arguments: { data: STRING_MAP } },
  extension: {
    resource: "extensions",
    arguments: { repo_name: STRICT_STRING, repo_path: STRICT_STRING, args: STRINGS },
  },
  extension_repo: {
    resource: "extensionrepos",
    arguments: {
      url: STRICT_STRING,
      ref: STRICT_STRING,
      load_host: STRICT_STRING,
      git_subpath: STRICT_STRING,
    },
  },
  file_watch: {
    resource: "filewatches",
    arguments: {
      watched_paths: PATHS,
      ignores: list("ignore_def"),
      disable_source: object("disable_source"),
    },
  },
  kubernetes_apply: {
    resource: "kubernetesapplys",
    arguments: {
      yaml: STRICT_STRING,
      image_maps: STRINGS,
      image_locators: list("kubernetes_image_locator"),
      timeout: DURATION,
      kubernetes_discovery_template_spec: object("kubernetes_discovery_template_spec"),
      port_forward_template_spec: object("port_forward_template_spec"),
      pod_log_stream_template_spec: object("pod_log_stream_template_spec"),
      discovery_strategy: STRICT_STRING,
      disable_source: object("disable_source"),
      apply_cmd: object("kubernetes_apply_cmd"),
      restart_on: object("restart_on_spec"),
      delete_cmd: object("kubernetes_apply_cmd"),
      cluster: STRICT_STRING,
      server_side_apply: STRICT_STRING,
    },
  },
  kubernetes_discovery: {
    resource: "kubernetesdiscoveries",
    arguments: {
      watches: list("kubernetes_watch_ref"),
      extra_selectors: list("label_selector"),
      port_forward_template_spec: object("port_forward_template_spec"),
      pod_log_stream_template_spec: object("pod_log_stream_template_spec"),
      cluster: STRICT_STRING,
    },
  },
  ui_button: {
    resource: "uibuttons",
    arguments: {
      location: object("ui_component_location"),
      text: STRICT_STRING,
      icon_name: STRICT_STRING,
      icon_svg: STRICT_STRING,
      disabled: STRICT_BOOL,
      requires_confirmation: STRICT_BOOL,
      inputs: list("ui_input_spec"),
    },
  },
} as const satisfies Record<string, ObjectType>;

export type ObjectTypeName = keyof typeof OBJECT_TYPES;
