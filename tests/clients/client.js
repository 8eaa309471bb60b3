"use strict";
// A client in another language, from nothing but the .proto files: two evaluators in four calls, the orchestrator in six.
// Usage: node client.js '{"protos": DIR, "language": ADDRESS, "three_d": ADDRESS, "orchestrator": ADDRESS, "token": TOKEN,
//                         "bundle": DIR, "request_id": UUID}'
// Prints one JSON object with what it got; the test asserts on the values.

const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const given = JSON.parse(process.argv[2]);
const definitions = loader.loadSync(["genlevel/v1/evaluator.proto", "genlevel/v1/orchestrator.proto"], {
  includeDirs: [given.protos],
  keepCase: true,
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
});
const v1 = grpc.loadPackageDefinition(definitions).genlevel.v1;
const limits = { "grpc.max_receive_message_length": 64 << 20, "grpc.max_send_message_length": 64 << 20 };
const plain = grpc.credentials.createInsecure();

function metadata(entries) {
  const result = new grpc.Metadata();
  for (const [key, value] of Object.entries(entries)) result.set(key, value);
  return result;
}

function unary(client, method, request, entries) {
  const deadline = Date.now() + 60000;
  return new Promise((resolve, reject) => {
    client[method](request, metadata(entries), { deadline }, (error, reply) => (error ? reject(error) : resolve(reply)));
  });
}

function header(evaluator) {
  return { evaluator, protocol_version: 1, budget_ms: 30000, request_id: "node" };
}

async function language() {
  const client = new v1.EvaluatorService(given.language, plain, limits);
  const call = (method, request) => unary(client, method, request, { application: "language" });
  const described = await call("DescribeEvaluator", { header: header("language") });
  const samples = [["1", "A", "A"], ["2", "B", "C"], ["3", "Paris", "Paris"], ["4", "four", "4"]].map(([id, prediction, reference]) => ({
    id,
    prediction: { text: prediction },
    references: [{ text: reference }],
  }));
  const shard = (part, finalize) => ({ header: header("language"), metric: { metric: "accuracy" }, samples: part, finalize });
  const whole = await call("EvaluateShard", shard(samples, true));
  const halves = [];
  for (const part of [samples.slice(0, 1), samples.slice(1)]) halves.push((await call("EvaluateShard", shard(part, false))).state);
  const merged = await call("CombineStates", {
    header: header("language"), metric: { metric: "accuracy" }, states: halves, finalize: true,
  });
  const refused = await call("EvaluateShard", { header: header("language"), metric: { metric: "acuracy" } }).catch((error) => error);
  client.close();
  return {
    evaluator: described.evaluator,
    metrics: described.metrics.map((metric) => metric.metric),
    whole: whole.value,
    merged: merged.value,
    refusal: { code: refused.code, words: refused.details, details: refused.metadata.get("grpc-status-details-bin").length },
  };
}

function threeD() {
  const client = new v1.EvaluatorService(given.three_d, plain, limits);
  const points = (list) => ({ json: JSON.stringify(list) });
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + 60000;
    const stream = client.EvaluateMetric(metadata({ application: "three_d" }), { deadline }, (error, reply) => {
      client.close();
      if (error) reject(error);
      else resolve({ value: reply.value, issues: reply.issues });
    });
    stream.write({ start: { header: header("three_d"), metric: { metric: "chamfer_distance" } } });
    stream.write({ sample: { id: "1", prediction: points([[0, 0, 0]]), references: [points([[3, 4, 0]])] } });
    stream.write({ sample: { id: "2", prediction: points([[1, 1, 1]]), references: [points([[1, 1, 1]])] } });
    stream.end();
  });
}

function watch(client, name, entries) {
  return new Promise((resolve, reject) => {
    const events = [];
    const stream = client.WatchRun({ name }, metadata(entries), { deadline: Date.now() + 120000 });
    stream.on("data", (event) => events.push(event));
    stream.on("error", reject);
    stream.on("end", () => resolve(events));
  });
}

async function orchestrator() {
  const client = new v1.OrchestratorService(given.orchestrator, plain, limits);
  const allowed = { authorization: `Bearer ${given.token}` };
  const request = { request_id: given.request_id, model: "node-model", bundle_uri: `file://${given.bundle}` };
  const refused = await unary(client, "CreateRun", request, {}).catch((error) => error);
  const created = await unary(client, "CreateRun", request, allowed);
  const again = await unary(client, "CreateRun", request, allowed);
  const events = await watch(client, created.run.name, allowed);
  const run = (await unary(client, "GetRun", { name: created.run.name }, allowed)).run;
  const results = await unary(client, "ListTaskResults", { name: run.name, page_size: 1000 }, allowed);
  const report = async (format) => unary(client, "GetReport", { name: run.name, format }, allowed);
  const json = await report("REPORT_FORMAT_JSON");
  const html = await report("REPORT_FORMAT_HTML");
  client.close();
  return {
    refused: refused.code,
    same: created.run.name === again.run.name,
    events: events.map((event) => event.kind),
    last: events.at(-1).run,
    run,
    scored: results.results.filter((result) => result.status === "scored"),
    report: JSON.parse(json.content.toString("utf8")),
    html: { name: html.file_name, type: html.media_type, start: html.content.toString("utf8", 0, 15) },
  };
}

async function main() {
  console.log(JSON.stringify({ language: await language(), three_d: await threeD(), orchestrator: await orchestrator() }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
