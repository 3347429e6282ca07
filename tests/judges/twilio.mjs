// The independent emulator of Twilio on one port: `node twilio.mjs PORT [SEED_JSON]`.
import { createEmulator } from "emulate";

const [port, seed] = process.argv.slice(2);
const judge = await createEmulator({
  service: "twilio",
  port: Number(port),
  baseUrl: `http://127.0.0.1:${port}`,
  seed: seed ? JSON.parse(seed) : undefined,
});
console.log(`ready ${judge.url}`);
