import { AppendEntries } from '../protocol/messages/append-entries.ts';
import { EndQuorumEpoch } from '../protocol/messages/end-quorum-epoch.ts';
import { InstallSnapshot } from '../protocol/messages/install-snapshot.ts';
import { QuorumHello } from '../protocol/messages/quorum-hello.ts';
import { Vote } from '../protocol/messages/vote.ts';
import type { AnyApi, RequestOf, ResponseOf } from '../protocol/schema.ts';
import type { ReplicaKey, Request, Response, Voter, VoterSet } from './types.ts';
import { decodeVoterSet, encodeVoterSet, VOTER_SETS_SINCE } from './voter-set.ts';

const NONE = new Uint8Array(0);

/** The APIs of the quorum, for the node to register. */
export const RAFT_APIS: readonly AnyApi[] = [
  Vote,
  AppendEntries,
  InstallSnapshot,
  EndQuorumEpoch,
  QuorumHello,
];

export interface WireRequest {
  readonly api: AnyApi;
  readonly body: unknown;
}

/** What a request says of its sender beside what the core decided. */
export interface Sender {
  readonly clusterId: string;
  readonly self: Voter;
  /** What this node can read, and what all can. */
  readonly catalogueVersion: number;
  readonly catalogueLevel: number;
}

/** A core's request in the catalogue's terms; a snapshot request has its chunk by now. */
export function toWire(request: Request, to: ReplicaKey, sender: Sender): WireRequest {
  const { clusterId, self, catalogueVersion, catalogueLevel } = sender;
  const target = { clusterId, voterId: to.id, voterDirectoryId: to.directoryId };
  switch (request.type) {
    case 'vote': {
      const body: RequestOf<typeof Vote> = {
        ...target,
        candidateId: self.id,
        candidateDirectoryId: self.directoryId,
        candidateEpoch: request.epoch,
        lastEpoch: request.lastEpoch,
        lastIndex: request.lastIndex,
        preVote: request.preVote,
        transfer: request.transfer,
      };
      return { api: Vote, body };
    }
    case 'append': {
      const body: RequestOf<typeof AppendEntries> = {
        clusterId,
        voterId: to.id,
        voterDirectoryId: to.directoryId,
        leaderId: self.id,
        leaderEpoch: request.epoch,
        prevIndex: request.prevIndex,
        prevEpoch: request.prevEpoch,
        commitIndex: request.commitIndex,
        entries: request.entries.map(({ epoch, payload, voterSet }) => ({
          epoch,
          payload,
          voterSet: voterSet ? encodeVoterSet(voterSet) : NONE,
        })),
      };
      return { api: AppendEntries, body };
    }
    case 'snapshot': {
      const { snapshot, position, chunk = new Uint8Array(0) } = request;
      const body: RequestOf<typeof InstallSnapshot> = {
        ...target,
        leaderId: self.id,
        leaderEpoch: request.epoch,
        lastIndex: snapshot.index,
        lastEpoch: snapshot.epoch,
        position,
        totalBytes: snapshot.sizeBytes,
        crc: snapshot.crc,
        chunk,
        voterSet: catalogueLevel >= VOTER_SETS_SINCE ? encodeVoterSet(snapshot.voterSet) : NONE,
      };
      return { api: InstallSnapshot, body };
    }
    case 'endEpoch': {
      const body: RequestOf<typeof EndQuorumEpoch> = {
        ...target,
        leaderId: self.id,
        leaderEpoch: request.epoch,
      };
      return { api: EndQuorumEpoch, body };
    }
    case 'hello': {
      const body: RequestOf<typeof QuorumHello> = {
        clusterId,
        nodeId: self.id,
        directoryId: self.directoryId,
        observe: true,
        lastIndex: request.lastIndex,
        ...self.endpoint,
        catalogueVersion,
      };
      return { api: QuorumHello, body };
    }
  }
}

/** The fields that every request to a replica opens with. */
export interface TargetedBody {
  readonly clusterId: string;
  readonly voterId: number;
  readonly voterDirectoryId: string;
}

/** Another replica's request in the core's terms. Leaders are named by id; the voters give the rest of the key. */
export function requestFromWire(
  api: AnyApi,
  body: unknown,
  voterSet: VoterSet,
): { readonly from: ReplicaKey; readonly request: Request } {
  if (api.key === Vote.key) return voteFromWire(body as RequestOf<typeof Vote>);
  const { leaderId, leaderEpoch } = body as RequestOf<typeof EndQuorumEpoch>;
  const from = voterSet.voters.find((voter) => voter.id === leaderId) ?? { id: leaderId, directoryId: '' };
  switch (api.key) {
    case AppendEntries.key:
      return { from, request: appendFromWire(body as RequestOf<typeof AppendEntries>) };
    case InstallSnapshot.key:
      return { from, request: snapshotFromWire(body as RequestOf<typeof InstallSnapshot>, voterSet) };
    case EndQuorumEpoch.key:
      return { from, request: { type: 'endEpoch', epoch: leaderEpoch } };
    default:
      throw new Error(`${api.name} is not an API of the quorum`);
  }
}

function voteFromWire(body: RequestOf<typeof Vote>): {
  readonly from: ReplicaKey;
  readonly request: Request;
} {
  return {
    from: { id: body.candidateId, directoryId: body.candidateDirectoryId },
    request: {
      type: 'vote',
      preVote: body.preVote,
      epoch: body.candidateEpoch,
      lastIndex: body.lastIndex,
      lastEpoch: body.lastEpoch,
      transfer: body.transfer,
    },
  };
}

function appendFromWire(body: RequestOf<typeof AppendEntries>): Request {
  return {
    type: 'append',
    epoch: body.leaderEpoch,
    prevIndex: body.prevIndex,
    prevEpoch: body.prevEpoch,
    // Payloads are copied: as views they would keep the whole received message alive as long as the log does.
    entries: body.entries.map(({ epoch, payload, voterSet }, at) => {
      const entry = { index: body.prevIndex + 1 + at, epoch, payload: payload.slice() };
      return voterSet.length > 0 ? { ...entry, voterSet: decodeVoterSet(voterSet) } : entry;
    }),
    commitIndex: body.commitIndex,
  };
}

function snapshotFromWire(body: RequestOf<typeof InstallSnapshot>, known: VoterSet): Request {
  return {
    type: 'snapshot',
    epoch: body.leaderEpoch,
    snapshot: {
      index: body.lastIndex,
      epoch: body.lastEpoch,
      sizeBytes: body.totalBytes,
      crc: body.crc,
      // Not told below the level from which on voters change: then they are those of the beginning.
      voterSet: body.voterSet.length > 0 ? decodeVoterSet(body.voterSet) : known,
    },
    position: body.position,
    lengthBytes: body.chunk.length,
    chunk: body.chunk.slice(),
  };
}

/** A core's answer in the catalogue's terms. */
export function responseToWire(response: Response): unknown {
  switch (response.type) {
    case 'vote': {
      const { epoch, granted } = response;
      const body: ResponseOf<typeof Vote> = { errorCode: 0, epoch, leaderId: -1, voteGranted: granted };
      return body;
    }
    case 'append': {
      const { epoch, success, matchIndex, conflictIndex, conflictEpoch } = response;
      const body: ResponseOf<typeof AppendEntries> = {
        errorCode: 0,
        epoch,
        success,
        matchIndex,
        conflictIndex,
        conflictEpoch,
      };
      return body;
    }
    case 'snapshot': {
      const { epoch, nextPosition, installed } = response;
      const body: ResponseOf<typeof InstallSnapshot> = { errorCode: 0, epoch, nextPosition, installed };
      return body;
    }
    case 'endEpoch': {
      const body: ResponseOf<typeof EndQuorumEpoch> = { errorCode: 0, epoch: response.epoch };
      return body;
    }
    case 'hello':
      throw new Error('the answer to a hello tells of the cluster too: the node puts it together');
  }
}

/** The answer to a request of this core, in the core's terms; it carries no error code. */
export function responseFromWire(request: Request, wire: unknown): Response {
  switch (request.type) {
    case 'vote': {
      const body = wire as ResponseOf<typeof Vote>;
      return { type: 'vote', epoch: body.epoch, granted: body.voteGranted };
    }
    case 'append': {
      const body = wire as ResponseOf<typeof AppendEntries>;
      const { epoch, success, matchIndex, conflictIndex, conflictEpoch } = body;
      return { type: 'append', epoch, success, matchIndex, conflictIndex, conflictEpoch };
    }
    case 'snapshot': {
      const body = wire as ResponseOf<typeof InstallSnapshot>;
      const { epoch, nextPosition, installed } = body;
      return { type: 'snapshot', epoch, nextPosition, installed };
    }
    case 'endEpoch':
      return { type: 'endEpoch', epoch: (wire as ResponseOf<typeof EndQuorumEpoch>).epoch };
    case 'hello': {
      const body = wire as ResponseOf<typeof QuorumHello>;
      return { type: 'hello', epoch: body.epoch, leaderId: body.leaderId < 0 ? undefined : body.leaderId };
    }
  }
}

type WireVoter = ResponseOf<typeof QuorumHello>['voters'][number];

export const voterToWire = ({ id, directoryId, endpoint }: Voter): WireVoter => ({
  id,
  directoryId,
  host: endpoint?.host ?? '',
  port: endpoint?.port ?? 0,
});

export const voterFromWire = ({ id, directoryId, host, port }: WireVoter): Voter =>
  host === '' ? { id, directoryId } : { id, directoryId, endpoint: { host, port } };

/** The voters in the answer to a hello. */
export const votersTold = (wire: unknown): Voter[] =>
  (wire as ResponseOf<typeof QuorumHello>).voters.map(voterFromWire);
