using System.Globalization;
using System.Text.Json;
using Holdfast.Protocol;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Crashes;

/// <summary>Kills server and supervisor at the durable steps of a cascade in a real ipykernel.</summary>
public sealed class CascadeCrashTests
{
    private const string Ended = "setup=succeeded one=succeeded bad=failed below=blocked two=succeeded last=succeeded";

    public static TheoryData<CrashPoint, int, Loss> ServerDeaths => CrashCases.Of(CrashStory.Cascade, isServer: true);

    public static TheoryData<CrashPoint, int, Loss> SupervisorDeaths => CrashCases.Of(CrashStory.Cascade, isServer: false);

    [Theory]
    [MemberData(nameof(ServerDeaths))]
    public async Task A_cascade_whose_server_dies_goes_on_to_its_end(CrashPoint point, int arrival, Loss loss)
    {
        await using CrashStage stage = CrashStage.Prepare(new CrashScenario(point, arrival, CrashStory.Cascade, loss));
        ReactiveBook book = Book(stage);
        JsonElement cascade = await RunAsync(stage, book);

        await stage.WaitForCrashAsync();
        Assert.Equal(Ended, Cascade.Told(cascade));
        Assert.Equal("failed", cascade.GetProperty("state").GetString());
        AssertToldOnce(stage, "setup", "one", "bad", "two", "last");
        Assert.Equal("two 2\n", book.Output("two"));
        Assert.Equal("[ZeroDivisionError]", book.Output("bad"));

        // What the kernel holds is known: only what failed, and what needs it, is run again.
        await stage.Server.PersistAsync(async rest =>
        {
            JsonElement again = (await rest.PostAsync("/v1/notebooks/cascade", book.Request())).Must(201).Json;
            Assert.Equal("bad below", new Cascade(stage.Server, again).Plan);
            return (
                await rest.GetAsync($"/v1/notebooks/cascades/{again.GetProperty("id").GetString()}?timeoutSeconds={Patience.AskedSeconds}")
            ).Must(200);
        });
        await StopKernelAsync(stage, cascade);
        await stage.Server.MustLeaveNothingAsync();
    }

    [Theory]
    [MemberData(nameof(SupervisorDeaths))]
    public async Task A_cascade_whose_supervisor_dies_ends_and_is_resumed(CrashPoint point, int arrival, Loss loss)
    {
        await using CrashStage stage = CrashStage.Prepare(new CrashScenario(point, arrival, CrashStory.Cascade, loss));
        ReactiveBook book = Book(stage);
        JsonElement cascade = await RunAsync(stage, book);
        await stage.WaitForCrashAsync();
        string told = Cascade.Told(cascade);
        List<string> truth = stage.Truth.Read().ConvertAll(static t => t.Word);
        Assert.All(truth.CountBy(static w => w), static w => Assert.Equal(1, w.Value));
        foreach (JsonElement cell in cascade.GetProperty("cells").EnumerateArray())
        {
            string id = cell.GetProperty("cellId").GetString()!;
            Assert.True(
                cell.GetProperty("state").GetString() switch
                {
                    "succeeded" or "failed" => truth.Contains(id),
                    "lost" => true,
                    "cancelled" or "blocked" => !truth.Contains(id),
                    _ => false,
                },
                $"{id}: {told}; told {string.Join(' ', truth)}\n{stage.Server.Log}"
            );
        }

        Assert.InRange(
            cascade.GetProperty("cells").EnumerateArray().Count(static c => c.GetProperty("state").GetString() == "lost"),
            loss == Loss.One ? 1 : 0,
            loss == Loss.None ? 0 : 1
        );

        // Its values went with the kernel: all of it runs again, in a new one.
        JsonElement rest = await stage.Server.PersistAsync(async rest =>
        {
            JsonElement again = (await rest.PostAsync("/v1/notebooks/cascade", book.Request(resume: true))).Must(201).Json;
            return (
                await rest.GetAsync($"/v1/notebooks/cascades/{again.GetProperty("id").GetString()}?timeoutSeconds={Patience.AskedSeconds}")
            )
                .Must(200)
                .Json;
        });
        Assert.Equal(Ended, Cascade.Told(rest));
        await StopKernelAsync(stage, rest);
        await stage.Server.MustLeaveNothingAsync();
    }

    /// <summary>Six cells out of order: a chain of three, and beside it one that fails, and what needs that.</summary>
    private static ReactiveBook Book(CrashStage stage) =>
        new(
            stage.Server,
            "book",
            ("below", "print(bad)"),
            ("bad", "tell('bad')\nbad = one / 0"),
            ("two", "tell('two')\ntwo = one + 1\nprint('two', two)"),
            ("last", "tell('last')\nprint(two)"),
            ("one", "tell('one')\none = 1"),
            (
                "setup",
                $$"""
                import os, time
                def tell(word):
                    with open('{{stage.Truth.Path}}', 'a') as truth:
                        truth.write(f"{os.environ['HOLDFAST_ATTEMPT'].split(':')[0]} book {word}\n")
                    time.sleep(0.02)
                tell('setup')
                """
            )
        );

    private static async Task<JsonElement> RunAsync(CrashStage stage, ReactiveBook book)
    {
        string id = await stage.Server.PersistAsync(async rest =>
            await FindAsync(rest)
            ?? (await rest.PostAsync("/v1/notebooks/cascade", book.Request())).Must(201).Json.GetProperty("id").GetString()!
        );
        JsonElement cascade = default;
        await Patience.UntilAsync(
            async () =>
            {
                cascade = await stage.Server.PersistAsync(async rest =>
                    (await rest.GetAsync($"/v1/notebooks/cascades/{id}?timeoutSeconds=30")).Must(200).Json
                );
                return cascade.GetProperty("finishedAt").ValueKind != JsonValueKind.Null;
            },
            "the cascade ended"
        );
        return cascade;
    }

    /// <summary>A cascade may have been made durable by a server that died before it could say so.</summary>
    private static async Task<string?> FindAsync(RestClient rest)
    {
        JsonElement executions = (await rest.GetAsync("/v1/executions?kind=cell&limit=1")).Must(200).Json.GetProperty("executions");
        return executions.GetArrayLength() == 0 ? null : executions[0].GetProperty("runId").GetString();
    }

    /// <summary>A reactive notebook keeps its kernel.</summary>
    private static Task<RestReply> StopKernelAsync(CrashStage stage, JsonElement cascade) =>
        stage.Server.PersistAsync(rest =>
            rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, $"/v1/kernels/{cascade.GetProperty("kernelId").GetString()}"))
        );

    private static void AssertToldOnce(CrashStage stage, params string[] words) =>
        Assert.Equal(
            words.Order(StringComparer.Ordinal).Select(static w => string.Create(CultureInfo.InvariantCulture, $"1 {w}")),
            stage
                .Truth.Read()
                .CountBy(static t => t.Word)
                .OrderBy(static t => t.Key, StringComparer.Ordinal)
                .Select(static t => string.Create(CultureInfo.InvariantCulture, $"{t.Value} {t.Key}"))
        );
}
