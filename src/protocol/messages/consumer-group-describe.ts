import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, int16, int32, string, struct, uuid } from '../schema.ts';

/** Members, epochs and assignments of groups. */
export const ConsumerGroupDescribe = api({
  key: 69,
  name: 'ConsumerGroupDescribe',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    groupIds: array(string()),
  }),
  response: struct({
    throttleTimeMs: int32(),
    groups: array(
      struct({
        errorCode: int16(),
        errorMessage: string().nullable(),
        groupId: string(),
        groupState: string(),
        groupEpoch: int32(),
        assignmentEpoch: int32(),
        assignorName: string(),
        members: array(
          struct({
            memberId: string(),
            instanceId: string().nullable(),
            rackId: string().nullable(),
            memberEpoch: int32(),
            clientId: string(),
            clientHost: string(),
            subscribedTopicNames: array(string()),
            assignment: array(struct({ topicId: uuid(), topicName: string(), partitions: array(int32()) })),
            targetAssignment: array(
              struct({ topicId: uuid(), topicName: string(), partitions: array(int32()) }),
            ),
          }),
        ),
      }),
    ),
  }),
});

export type ConsumerGroupDescribeRequest = RequestOf<typeof ConsumerGroupDescribe>;
export type ConsumerGroupDescribeResponse = ResponseOf<typeof ConsumerGroupDescribe>;
