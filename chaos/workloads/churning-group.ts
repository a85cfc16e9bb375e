import { Acting } from './acting.ts';
import { Group } from './group.ts';
import { together, type WorkloadKind } from './workload.ts';

const MEMBERS_MAX = 4;

/** A second group of the main topic, whose members come and go in order; the pause is that between two of these. */
export const churningGroup: WorkloadKind = {
  name: 'churningGroup',
  pausesMs: [0, 0, 0, 6000],
  start: (context) => {
    const { random } = context;
    const group = new Group({ ...context, pauseMs: 2000 }, { name: 'movers', members: 2 });
    const churn = new Acting(context, context.machine('movers-churn'), async () => {
      if (group.size < MEMBERS_MAX && (group.size < 2 || random.chance(0.5))) group.join();
      else group.leave(random.between(0, group.size - 1));
    });
    return together([group, { stop: () => churn.stop(), waitingFor: () => [] }]);
  },
};
