using System.Text;
using System.Text.Json.Nodes;
using Holdfast.Protocol;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Crashes;

/// <summary>
/// Kills the server while a client saves: the file is the old one or the new one, whole, and nothing else is left beside it.
/// </summary>
public sealed class ContentsCrashTests
{
    private const int Length = 2_000_000;

    [Fact]
    public async Task A_save_whose_server_dies_before_the_rename_leaves_the_old_file_and_can_be_made_again()
    {
        await using CrashStage stage = CrashStage.Prepare(
            new CrashScenario(CrashPoint.ServerFileWritten, 2, CrashStory.Contents, Loss.None)
        );
        string path = Path.Combine(stage.Server.Root, "f.txt");
        await stage.Server.StartAgainAsync();
        (await SaveAsync(stage.Server.Rest, 'a')).Must(201);
        await Assert.ThrowsAnyAsync<Exception>(() => SaveAsync(stage.Server.Rest, 'b'));
        await stage.WaitForCrashAsync();
        await stage.Server.Process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(new string('a', Length), await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));

        await stage.Server.StartAgainAsync();
        (await SaveAsync(stage.Server.Rest, 'b')).Must(200);
        Assert.Equal(new string('b', Length), await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        Assert.Equal([path], Directory.EnumerateFileSystemEntries(stage.Server.Root));
    }

    [Fact]
    public async Task A_save_in_whose_midst_the_server_is_killed_leaves_one_file_whole()
    {
        await using TestServer server = await TestServer.StartAsync();
        string path = Path.Combine(server.Root, "f.txt");
        (await SaveAsync(server.Rest, 'a')).Must(201);
        for (char next = 'b'; next <= 'e'; next++)
        {
            Task<RestReply> save = SaveAsync(server.Rest, next);
            await Patience.UntilAsync(
                () => save.IsCompleted || Directory.EnumerateFiles(server.Root, ".holdfast-*").Any(),
                "it was being written"
            );
            await server.KillAsync();
            bool isAcknowledged = await save.ContinueWith(
                static s => s.IsCompletedSuccessfully,
                TestContext.Current.CancellationToken,
                TaskContinuationOptions.None,
                TaskScheduler.Default
            );
            string now = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
            Assert.Equal(new string(now[0], Length), now);
            Assert.True(now[0] == next || (!isAcknowledged && now[0] < next), $"{now[0]} after {next}");
            await server.StartAgainAsync();
        }
    }

    private static Task<RestReply> SaveAsync(RestClient rest, char sign)
    {
        string body = new JsonObject
        {
            ["type"] = "file",
            ["format"] = "text",
            ["content"] = new string(sign, Length),
        }.ToJsonString();
        return rest.SendAsync(
            new HttpRequestMessage(HttpMethod.Put, "/api/contents/f.txt")
            {
                Content = new StringContent(body, Encoding.UTF8, "application/json"),
            }
        );
    }
}
