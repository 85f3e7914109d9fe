/**
 * Prometheus' text format.
 *
 * @packageDocumentation
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */

/** Each counter, and what it counts. */
const HELP: Readonly<Record<string, string>> = {
  thinpack_requests_total: "Requests, by what was done and how it ended.",
  thinpack_request_seconds_total: "The time that requests took, their answers included.",
  thinpack_received_bytes_total: "Bytes of the bodies of requests.",
  thinpack_sent_bytes_total: "Bytes of the bodies of answers.",
  thinpack_r2_read_bytes_total: "Bytes that requests read from the bucket.",
  thinpack_storage_operations_total: "Storage operations of requests, by kind.",
  thinpack_jobs_total: "Jobs of the queues, by how they ended.",
  thinpack_dead_letters_total: "Jobs that failed in all their tries.",
  thinpack_job_seconds_total: "The time that jobs took.",
};

/** Writes counters in Prometheus' format, those of one name together. */
export function formatMetrics(counters: Readonly<Record<string, number>>, version: string): string {
  const lines = [
    "# HELP thinpack_build_info The release.",
    "# TYPE thinpack_build_info gauge",
    `thinpack_build_info{version="${version}"} 1`,
  ];
  for (const [name, help] of Object.entries(HELP)) {
    const own = Object.entries(counters).filter(([key]) => key === name || key.startsWith(`${name}{`));
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`);
    lines.push(...own.map(([key, value]) => `${key} ${value}`).toSorted());
  }
  return `${lines.join("\n")}\n`;
}
