/** The APIs of the group coordinator. It runs beside the active controller and refuses everywhere else. */

import type {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from '../protocol/messages/consumer-group-describe.ts';
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../protocol/messages/consumer-group-heartbeat.ts';
import type { DeleteGroupsRequest, DeleteGroupsResponse } from '../protocol/messages/delete-groups.ts';
import type { ListGroupsRequest, ListGroupsResponse } from '../protocol/messages/list-groups.ts';
import type { OffsetCommitRequest, OffsetCommitResponse } from '../protocol/messages/offset-commit.ts';
import type { OffsetFetchRequest, OffsetFetchResponse } from '../protocol/messages/offset-fetch.ts';
import type { Handler, RequestContext } from './context.ts';

type Caller = RequestContext['caller'];

export const consumerGroupHeartbeat: Handler<
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse
> = ({ coordinator }, request, { caller, clientId }) => {
  const { groupId, memberId } = request;
  watchConnection(caller, `${groupId} ${memberId}`, () =>
    coordinator.memberDisconnected(groupId, memberId, caller),
  );
  return coordinator.heartbeat(request, {
    clientId: clientId ?? '',
    // Without the port, which a reconnect changes: the member stays the same.
    clientHost: caller.remote.replace(/:\d+$/, ''),
    connection: caller,
  });
};

const watched = new WeakMap<Caller, Set<string>>();

/** Calls `onEnd` once when the connection ends, however many heartbeats of this member it carried. */
function watchConnection(caller: Caller, member: string, onEnd: () => void): void {
  const members = watched.get(caller) ?? new Set();
  watched.set(caller, members);
  if (members.has(member)) return;
  members.add(member);
  caller.onClose(onEnd);
}

export const offsetCommit: Handler<OffsetCommitRequest, OffsetCommitResponse> = (context, request) =>
  context.coordinator.commitOffsets(request);

export const offsetFetch: Handler<OffsetFetchRequest, OffsetFetchResponse> = (context, request) =>
  context.coordinator.fetchOffsets(request);

export const listGroups: Handler<ListGroupsRequest, ListGroupsResponse> = (context, request) =>
  context.coordinator.listGroups(request);

export const consumerGroupDescribe: Handler<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse> = (
  context,
  request,
) => context.coordinator.describeGroups(request);

export const deleteGroups: Handler<DeleteGroupsRequest, DeleteGroupsResponse> = (context, request) =>
  context.coordinator.deleteGroups(request);
