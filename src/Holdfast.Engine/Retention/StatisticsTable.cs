using System.Numerics;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Retention;

/// <summary>How many executions ended in a state, how long they took together, and how those times are spread.</summary>
public sealed record ExecutionStatistics(string Kind, string State, long Count, double Seconds, double Median, double P90, double P99);

/// <summary>
/// The statements of the table execution_statistics: outcomes by kind, state and a power of two of their microseconds, counted in the
/// transaction of each outcome. They outlive the executions, and every restart.
/// </summary>
internal static class StatisticsTable
{
    public static void Add(StoreTransaction transaction, string kind, string state, long? microseconds)
    {
        using Statement insert = transaction
            .Prepare(
                "INSERT INTO execution_statistics (kind, state, bucket, count, microseconds) VALUES (?1, ?2, ?3, 1, ?4) "
                    + "ON CONFLICT (kind, state, bucket) DO UPDATE SET count = count + 1, microseconds = microseconds + excluded.microseconds"
            )
            .Bind(1, kind)
            .Bind(2, state)
            .Bind(3, BucketOf(microseconds))
            .Bind(4, Math.Max(0, microseconds ?? 0));
        insert.Execute();
    }

    public static List<ExecutionStatistics> Read(StoreReader reader)
    {
        using Statement select = reader.Prepare(
            "SELECT kind, state, bucket, count, microseconds FROM execution_statistics ORDER BY kind, state, bucket"
        );
        var rows = new List<(string Kind, string State, int Bucket, long Count, long Microseconds)>();
        while (select.Step())
        {
            rows.Add((select.Text(0), select.Text(1), select.Int32(2), select.Int64(3), select.Int64(4)));
        }

        return
        [
            .. rows.GroupBy(static r => (r.Kind, r.State))
                .Select(static group => new ExecutionStatistics(
                    group.Key.Kind,
                    group.Key.State,
                    group.Sum(static r => r.Count),
                    group.Sum(static r => r.Microseconds) / 1e6,
                    At(group, 0.5),
                    At(group, 0.9),
                    At(group, 0.99)
                )),
        ];

        static double At(IEnumerable<(string, string, int Bucket, long Count, long)> buckets, double share)
        {
            (int Bucket, long Count)[] sorted = [.. buckets.Select(static b => (b.Bucket, b.Count))];
            long rank = (long)Math.Ceiling(share * sorted.Sum(static b => b.Count));
            foreach ((int bucket, long count) in sorted)
            {
                rank -= count;
                if (rank <= 0)
                {
                    return UpperOf(bucket);
                }
            }

            return 0;
        }
    }

    /// <summary>By powers of two; 0 for one that never started, or whose clock went back.</summary>
    internal static int BucketOf(long? microseconds) => microseconds is > 0 and var some ? BitOperations.Log2((ulong)some) + 1 : 0;

    /// <summary>Seconds that nothing in the bucket is above.</summary>
    internal static double UpperOf(int bucket) => bucket == 0 ? 0 : Math.ScaleB(1, bucket) / 1e6;
}
