/**
 * What a private RabbitMQ node reads: its configuration, its plugins and its environment. Pure: text
 * and paths go in and out, nothing is written here.
 */
import { join } from "node:path";

/** The four ports that one node takes, all of them on the loopback. */
export interface NodePorts {
  readonly amqp: number;
  readonly management: number;
  /** The Erlang distribution: other nodes and `rabbitmqctl`. */
  readonly dist: number;
  /** The Erlang port mapper. Nodes of one cluster share it; anybody else's must be another. */
  readonly epmd: number;
}

/** The certificates of a node that speaks TLS, as absolute paths. */
export interface NodeTls {
  /** The certificate of the CA: what clients need in order to trust the node. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** What one private node is: enough to start it. */
export interface NodeSpec {
  /** Absolute. Everything that the node reads and writes is below it. */
  readonly directory: string;
  /** Such as `ecomarket_dev@localhost`. Its data are bound to it: another name is another broker. */
  readonly name: string;
  readonly ports: NodePorts;
  /** The secret that lets Erlang nodes talk. Nodes of one cluster share it. */
  readonly cookie: string;
  readonly user: string;
  readonly password: string;
  /** Whether AMQP also listens on `::1`, which some clients try first for `localhost`. */
  readonly ipv6: boolean;
  /** The names of all nodes of its cluster, its own among them. Empty: a broker of one node. */
  readonly cluster: readonly string[];
  /** With it, AMQP is encrypted, and nothing listens for plain AMQP. */
  readonly tls?: NodeTls | undefined;
}

/** Where each of a node's files and folders is. */
export interface NodePaths {
  readonly config: string;
  readonly configFile: string;
  /** n.b. a pattern that matches nothing: without it the node also reads `/etc/rabbitmq/conf.d`. */
  readonly moreConfigFiles: string;
  readonly advancedConfigFile: string;
  readonly pluginsFile: string;
  readonly environmentFile: string;
  readonly cookieFile: string;
  readonly data: string;
  readonly log: string;
  /** The broker's own log. */
  readonly logFile: string;
  /** What the Erlang runtime prints before there is a log, or when it fails to start at all. */
  readonly consoleFile: string;
  readonly pidFile: string;
  /** Ours: the spec and the process id, for other processes. */
  readonly stateFile: string;
}

/** The paths of the node whose folder is `directory`. */
export function nodePaths(directory: string): NodePaths {
  const config = join(directory, "config");
  const log = join(directory, "log");
  return {
    config,
    configFile: join(config, "rabbitmq.conf"),
    moreConfigFiles: join(config, "conf.d", "*.conf"),
    advancedConfigFile: join(config, "advanced.config"),
    pluginsFile: join(config, "enabled_plugins"),
    environmentFile: join(config, "rabbitmq-env.conf"),
    cookieFile: join(directory, ".erlang.cookie"),
    data: join(directory, "data"),
    log,
    logFile: join(log, "rabbitmq.log"),
    consoleFile: join(log, "console.log"),
    pidFile: join(directory, "rabbitmq.pid"),
    stateFile: join(directory, "node.json"),
  };
}

/** The `rabbitmq.conf` of a node: one user with every right on `/`, no guest, the loopback only. */
export function rabbitmqConf(spec: NodeSpec): string {
  const { ports } = spec;
  return [
    ...listeners(spec),
    // In clear text also beside TLS: a browser does not know our CA, and the loopback is no network.
    "management.tcp.ip = 127.0.0.1",
    `management.tcp.port = ${ports.management}`,
    "",
    "default_vhost = /",
    `default_user = ${spec.user}`,
    `default_pass = ${spec.password}`,
    "default_user_tags.administrator = true",
    "default_permissions.configure = .*",
    "default_permissions.read = .*",
    "default_permissions.write = .*",
    "",
    "# The default (5 s) makes the management API's queue lengths that old.",
    "collect_statistics_interval = 1000",
    "# A laptop's disk may be nearly full: block publishers only when it really is.",
    "disk_free_limit.absolute = 50MB",
    "# The default (512 MiB) is kept on disk per node, whatever the traffic.",
    "raft.wal_max_size_bytes = 67108864",
    "",
    "log.console = false",
    "log.file.level = info",
    "log.file.rotation.size = 10485760",
    "log.file.rotation.count = 2",
    "",
    ...clusterConf(spec.cluster),
  ].join("\n");
}

/** Where the node listens for AMQP. */
function listeners({ ports, ipv6, tls }: NodeSpec): readonly string[] {
  const kind = tls ? "ssl" : "tcp";
  return [
    ...(tls ? ["listeners.tcp = none"] : []),
    `listeners.${kind}.ipv4 = 127.0.0.1:${ports.amqp}`,
    ...(ipv6 ? [`listeners.${kind}.ipv6 = ::1:${ports.amqp}`] : []),
    ...(tls
      ? [
        `ssl_options.cacertfile = ${tls.ca}`,
        `ssl_options.certfile = ${tls.certificate}`,
        `ssl_options.keyfile = ${tls.key}`,
        "ssl_options.versions.1 = tlsv1.3",
        "ssl_options.versions.2 = tlsv1.2",
      ]
      : []),
  ];
}

/** Which nodes a new node joins, and what a node does that loses sight of the others. */
function clusterConf(cluster: readonly string[]): readonly string[] {
  if (cluster.length === 0) return [];
  return [
    "# Read by a node without data: the first to come takes a lock, and the others join it.",
    "cluster_formation.peer_discovery_backend = classic_config",
    ...cluster.map((name, index) =>
      `cluster_formation.classic_config.nodes.${index + 1} = ${name}`
    ),
    "# A node that does not see the majority refuses clients until it does. By default (ignore), both",
    "# sides of a partition would go on, and differ in queues and bindings from then on.",
    "cluster_partition_handling = pause_minority",
    "",
  ];
}

/** The `enabled_plugins` of a node, an Erlang term. */
export const ENABLED_PLUGINS = "[rabbitmq_management].\n";

/** What a node's environment keeps of ours: where programs are, and what Windows cannot do without. */
export const INHERITED_VARIABLES: readonly string[] = [
  "PATH",
  "TMPDIR",
  "SystemRoot",
  "ComSpec",
  "PATHEXT",
  "TEMP",
  "TMP",
  "ERLANG_HOME",
];

/** For an Erlang runtime that other runtimes talk to: `rabbitmqctl` is one, too. */
const LOOPBACK_ONLY = "-kernel inet_dist_use_interface {127,0,0,1}";

/**
 * The whole environment of a node and of its `rabbitmqctl`: `inherited` and our own. Nothing else may reach it, for a
 * `RABBITMQ_*` or `ERL_*` variable of the person's shell, or `/etc/rabbitmq`, would make it another node.
 */
export function nodeEnvironment(
  spec: NodeSpec,
  inherited: Readonly<Record<string, string>>,
): Record<string, string> {
  const paths = nodePaths(spec.directory);
  return {
    ...inherited,
    LANG: "C.UTF-8",
    // Erlang looks for the cookie in HOME (on Windows in HOMEDRIVE and HOMEPATH, else USERPROFILE).
    HOME: spec.directory,
    USERPROFILE: spec.directory,
    RABBITMQ_NODENAME: spec.name,
    RABBITMQ_BASE: spec.directory,
    RABBITMQ_CONF_ENV_FILE: paths.environmentFile,
    RABBITMQ_CONFIG_FILE: paths.configFile,
    RABBITMQ_CONFIG_FILES: paths.moreConfigFiles,
    RABBITMQ_ADVANCED_CONFIG_FILE: paths.advancedConfigFile,
    RABBITMQ_ENABLED_PLUGINS_FILE: paths.pluginsFile,
    RABBITMQ_MNESIA_BASE: paths.data,
    RABBITMQ_LOG_BASE: paths.log,
    RABBITMQ_LOGS: paths.logFile,
    RABBITMQ_PID_FILE: paths.pidFile,
    RABBITMQ_DIST_PORT: String(spec.ports.dist),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: LOOPBACK_ONLY,
    RABBITMQ_CTL_ERL_ARGS: LOOPBACK_ONLY,
    ERL_EPMD_ADDRESS: "127.0.0.1",
    ERL_EPMD_PORT: String(spec.ports.epmd),
    // A dump of a broker that we killed on purpose helps nobody.
    ERL_CRASH_DUMP_SECONDS: "0",
    // The script then becomes the node (`exec`) in place of its parent: the process id that we
    // spawned is the node's, and SIGTERM and SIGKILL reach it (rabbitmq-server@3.10.8, last lines).
    RUNNING_UNDER_SYSTEMD: "true",
  };
}
