// The independent push service on one port: `node push.cjs PORT`. Its own command line would leave a process behind.
"use strict";
const { PushApiModel } = require("web-push-testing/src/PushApiModel.js");
const WebPushTestingServer = require("web-push-testing/src/server.js");

const port = Number(process.argv[2]);
const model = new PushApiModel();
const server = new WebPushTestingServer(model, port);
model.notifyUrl = `http://127.0.0.1:${port}/notify/`; // not `localhost`, which may be another address family
server.startServer();
console.log(`ready http://127.0.0.1:${port}`);
