using Holdfast.Engine;
using Holdfast.Engine.Contents;

namespace Holdfast.Tests.Contents;

/// <summary>Uploads in chunks: the old file stands until the last one is there.</summary>
public sealed class UploadContentsTests
{
    [Fact]
    public async Task The_file_appears_whole_with_the_last_chunk()
    {
        await using var room = new ContentsRoom();
        room.Write("f.txt", "old");
        Send(room, 1, "a");
        Send(room, 2, "b");
        Assert.Equal("old", room.Read("f.txt"));
        Assert.Single(room.Leftovers());
        SavedContents last = Send(room, UploadContents.LastChunk, "c");
        Assert.Equal(("abc", 3, false), (room.Read("f.txt"), last.Model.Size, last.IsNew));
        Assert.Empty(room.Leftovers());
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(room.Data, "uploads")));
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(1, 2, 2)]
    [InlineData(2)]
    [InlineData(UploadContents.LastChunk)]
    public async Task A_chunk_out_of_order_ends_the_upload_and_leaves_the_file(params int[] chunks)
    {
        await using var room = new ContentsRoom();
        room.Write("f.txt", "old");
        foreach (int chunk in chunks[..^1])
        {
            Send(room, chunk, "x");
        }

        Assert.Equal(ErrorCodes.UploadOutOfOrder, Assert.Throws<RefusedException>(() => Send(room, chunks[^1], "x")).Code);
        Assert.Equal(ErrorCodes.UploadOutOfOrder, Assert.Throws<RefusedException>(() => Send(room, UploadContents.LastChunk, "x")).Code);
        Assert.Equal("old", room.Read("f.txt"));
        Assert.Empty(room.Leftovers());
    }

    [Fact]
    public async Task Two_uploads_of_one_file_are_not_joined()
    {
        await using var room = new ContentsRoom();
        Send(room, 1, "a");
        Assert.Equal(ErrorCodes.UploadOutOfOrder, Assert.Throws<RefusedException>(() => Send(room, 1, "b")).Code);
        Send(room, 2, "a");
        room.Clock.Turn(ContentsLimits.UploadQuietTime);
        Send(room, 1, "b"); // The first is given up by whoever sent it.
        Send(room, UploadContents.LastChunk, "b");
        Assert.Equal("bb", room.Read("f.txt"));
        Assert.Empty(room.Leftovers());
    }

    [Fact]
    public async Task What_a_dead_server_left_is_removed_by_the_next()
    {
        await using var room = new ContentsRoom();
        room.Write("f.txt", "old");
        Send(room, 1, "a");
        Assert.Single(room.Leftovers());
        room.Open();
        Assert.Empty(room.Leftovers());
        Assert.Equal("old", room.Read("f.txt"));
        Assert.Equal(ErrorCodes.UploadOutOfOrder, Assert.Throws<RefusedException>(() => Send(room, 2, "a")).Code);
    }

    [Fact]
    public async Task An_upload_that_nobody_goes_on_with_is_removed()
    {
        await using var room = new ContentsRoom();
        Send(room, 1, "a");
        room.Clock.Turn(ContentsLimits.UploadIdleMax + TimeSpan.FromSeconds(1));
        room.Contents.Upload.Run(ContentsRoom.Text("other.txt", "x"), 1);
        Assert.Single(room.Leftovers());
    }

    private static SavedContents Send(ContentsRoom room, int chunk, string text) =>
        room.Contents.Upload.Run(ContentsRoom.Text("f.txt", text), chunk);
}
