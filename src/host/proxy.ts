type Env = Readonly<Record<string, string | undefined>>;

/**
 * The proxy to ask a URL through, by the variables that curl and GitHub's runner heed (`https_proxy`, `http_proxy`,
 * `all_proxy`, `no_proxy`, in capitals too); undefined for a direct connection, and always for loopback.
 */
export function proxyFor(url: string | URL, env: Env): string | undefined {
  const { protocol, hostname, port } = new URL(url);
  const isTls = protocol === "https:";
  const proxy =
    variableOf(isTls ? "https_proxy" : "http_proxy", env) ?? variableOf("all_proxy", env);
  const target = { host: hostname.toLowerCase(), port: port || (isTls ? "443" : "80") };
  if (proxy === undefined || isDirect(target, variableOf("no_proxy", env) ?? "")) return undefined;
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}

/** Small letters win: programs that speak CGI take `HTTP_PROXY` for a header. */
function variableOf(name: string, env: Env): string | undefined {
  return env[name] || env[name.toUpperCase()] || undefined;
}

function isDirect({ host, port }: { host: string; port: string }, exceptions: string): boolean {
  if (host === "localhost" || host.startsWith("127.") || host === "[::1]") return true;
  return exceptions
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === "*") return true;
      const [, name = "", only] = /^(?:\*?\.)?(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      if (name === "" || (only !== undefined && only !== port)) return false;
      return host === name || host.endsWith(`.${name}`);
    });
}
