// @ts-check
// How an arm tells the benchmark where it is, and ends with it.

/** @param {import("node:net").AddressInfo | string | null | undefined} address */
export function announce(address) {
  if (address === null || address === undefined || typeof address === "string") throw new Error("the server listens on no port");
  process.stdout.write(`ready http://127.0.0.1:${address.port}/\n`);
  // The benchmark holds the other end, so this comes when it is gone, however it went.
  process.stdin.on("end", () => process.exit(0)).resume();
}
