/**
 * `odradek/testing`: a real cluster inside the process of somebody's test. The nodes are those of `server/`, over real
 * sockets; each lives in a `Life` (`life.ts`), which is to it what a process would be: so it can be killed and paused
 * beside others in one process. May import everything but `cli/`, and Node.js itself.
 *
 * Begin with `start-cluster.ts`; `cluster.ts` and `cluster-node.ts` are what a test gets.
 */

export type { TestCluster } from './cluster.ts';
export type { ClusterNode, KillOptions, NodeState } from './cluster-node.ts';
export type { ClusterOptions } from './cluster-options.ts';
export { startCluster } from './start-cluster.ts';
