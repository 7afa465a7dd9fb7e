import { type AddressInfo, createServer } from "node:net";

/** A TCP port that nobody listens on now. Taken in the meantime, starting fails for a passing reason. */
export function freePort(address = "127.0.0.1"): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, address, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
