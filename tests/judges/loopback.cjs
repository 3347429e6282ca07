// Preloaded into every judge: whatever it wants to listen on becomes 127.0.0.1. They would bind all interfaces.
"use strict";
const net = require("node:net");
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...given) {
  const first = given[0];
  const callback = given.find((each) => typeof each === "function");
  const port = typeof first === "object" && first !== null ? first.port : first;
  return listen.call(this, { port: Number(port), host: "127.0.0.1" }, callback);
};
